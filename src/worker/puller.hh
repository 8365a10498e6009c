// SPDX-License-Identifier: MIT
// The pull form of a worker: tasks are asked for, one by one, instead of functions being called. For
// languages that are not called back well, or have a loop of their own. One per process; any thread, one at a
// time.
//
// The worker loop runs as it does in the other form, but on a stack of its own. Its functions are all the
// same one: that goes back to who asked for a call, and returns to the loop with the answer.
#pragma once

#include <atomic>
#include <functional>

#include "base/clock.hh"
#include "platform/coroutine.hh"
#include "task/table.hh"
#include "worker/call.hh"
#include "worker/worker_main.hh"

namespace mproc::worker {

class Puller {
 public:
  // That of this process; it is never freed.
  static Puller& Get();

  // Takes the next call: OK with none if the host has ordered the end. The table counts at the first time.
  // BUSY if a call is not answered or another thread is here, TIMED_OUT, or why it cannot serve.
  Status Next(const task::Table& table, const Deadline& deadline, Call** call, ByteView* input);
  // Ends the present call with what it was given, or as failed if `code` is not 0. INVALID_ARGUMENT if it is
  // not the present one.
  Status Answer(Call* call, int32_t code);

 private:
  static int32_t Hand(mproc_call_t* call, const void* input, size_t size, void* self);
  Status Begin(const task::Table& table);

  std::atomic<bool> busy_{false};
  platform::Coroutine serving_;
  task::Table table_;
  Idle idle_;
  bool waits_ = false;  // the loop has nothing to do
  Call* call_ = nullptr;
  ByteView input_;
  int32_t code_ = 0;
  Status ended_;
};

}  // namespace mproc::worker
