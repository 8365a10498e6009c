// SPDX-License-Identifier: MIT
// Ended tasks whose callbacks wait to be run, or that wait to be handed out, in the order of their ends.
// Thread-safe.
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>

#include "platform/thread.hh"
#include "pool/future.hh"
#include "runtime/fork_guard.hh"

namespace mproc::pool {

class CallbackQueue {
 public:
  // Adds an ended task whose callback is to run; takes over the engine's reference.
  void Push(Future* task);
  // Takes the first; null if there is none. With `wait`, sleeps until there is one or Stop was called.
  Future* Pop(bool wait);
  void Stop();
  // A descriptor of the caller's that is readable while something waits.
  Result<platform::UniqueFd> MakeReadable();
  // To be called after Pop: what the descriptor says is true again, whatever was read from it.
  void RefreshReadable();
  size_t size() const { return size_.load(std::memory_order_seq_cst); }

 private:
  mutable std::mutex mutex_;
  std::condition_variable some_;
  Future* first_ = nullptr;  // mutex_
  Future* last_ = nullptr;   // mutex_
  bool stopped_ = false;     // mutex_
  runtime::GuardedFd told_;  // mutex_; the ends of a pipe, once asked for
  runtime::GuardedFd tell_;  // mutex_
  std::atomic<size_t> size_{0};
};

// Runs the callback of an ended task and lets those who wait for the task go on.
void RunCallback(Future* task);

// True on a thread that is inside a callback of this pool.
bool InsideCallbackOf(const Pool* pool);
// True on a thread that is inside a callback of any pool.
bool InsideAnyCallback();

}  // namespace mproc::pool
