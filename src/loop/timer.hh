// SPDX-License-Identifier: MIT
// Calls back after a time. Loop's thread only.
#pragma once

#include <cstdint>
#include <functional>

#include "loop/loop.hh"

namespace mproc::loop {

class Timer {
 public:
  using Callback = std::function<void()>;

  Timer() = default;
  ~Timer() { Close(); }
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  Status Init(Loop& loop, Callback callback);
  // Calls back once after `delay` nanoseconds (rounded up to milliseconds), then every `repeat` if that is
  // not 0. Starting again replaces what was set.
  void Start(int64_t delay, int64_t repeat = 0);
  void Stop();
  bool active() const;
  void Close();

 private:
  struct Handle;
  Handle* handle_ = nullptr;
};

}  // namespace mproc::loop
