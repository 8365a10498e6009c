// SPDX-License-Identifier: MIT
// Calls back on a signal. Loop's thread only, and only in processes that are ours alone.
#pragma once

#include <functional>

#include "loop/loop.hh"

namespace mproc::loop {

class SignalWatch {
 public:
  using Callback = std::function<void()>;

  SignalWatch() = default;
  ~SignalWatch() { Close(); }
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;

  Status Start(Loop& loop, int signo, Callback callback);
  void Close();

 private:
  struct Handle;
  Handle* handle_ = nullptr;
};

}  // namespace mproc::loop
