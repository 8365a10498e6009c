// SPDX-License-Identifier: MIT
// Watches a descriptor. Loop's thread only.
#pragma once

#include <functional>

#include "loop/loop.hh"

namespace mproc::loop {

inline constexpr int kReadable = 1;
inline constexpr int kWritable = 2;

class Poll {
 public:
  // `events`: what is possible now. An error of the descriptor counts as both, once; then nothing is watched
  // until Watch is called again: reading or writing will tell the error.
  using Callback = std::function<void(int events)>;

  Poll() = default;
  ~Poll() { Close(); }
  Poll(const Poll&) = delete;
  Poll& operator=(const Poll&) = delete;

  // Watches `fd`, which becomes non-blocking and must stay open until Close.
  Status Start(Loop& loop, int fd, int events, Callback callback);
  // Changes what is watched; 0 pauses.
  Status Watch(int events);
  // Ends watching; the descriptor may be closed afterwards. Idempotent.
  void Close();
  bool started() const { return handle_ != nullptr; }

 private:
  struct Handle;
  Handle* handle_ = nullptr;
};

}  // namespace mproc::loop
