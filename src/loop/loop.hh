// SPDX-License-Identifier: MIT
// An event loop. One thread runs it and is the only one to touch it and the handles on it; others reach it
// through Post.
//
// Every handle of this room (Post, Poll, Timer, ChildProcess, SignalWatch) may be destroyed at any time on
// the loop's thread, also in its own callback: no callback comes afterwards, and the memory that libuv still
// needs lives on until libuv gives it back. All handles must be gone before Close.
#pragma once

#include <array>

#include "base/status.hh"

struct uv_loop_s;

namespace mproc::loop {

class Loop {
 public:
  Loop() = default;
  ~Loop() { Close(); }
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  Status Init();
  // Runs callbacks until Stop is called; returns at once if there is nothing to wait for.
  void Run();
  // Runs what is due without waiting.
  void RunDue();
  // Lets Run return after the callbacks that are due.
  void Stop();
  // Gives libuv's resources back. Idempotent.
  void Close();

  bool open() const { return loop_ != nullptr; }
  // The descriptors that the loop keeps open for itself, for a forked child to close; -1: none.
  std::array<int, 5> Descriptors() const;
  uv_loop_s* raw() { return loop_; }

 private:
  uv_loop_s* loop_ = nullptr;
};

// The error of a libuv call.
Status LoopError(const char* what, int uv_error);

}  // namespace mproc::loop
