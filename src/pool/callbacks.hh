// SPDX-License-Identifier: MIT
// Callbacks that wait to be run, in the order in which their tasks ended; and the thread that runs them in
// thread mode. Thread-safe.
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>

#include "platform/thread.hh"
#include "pool/future.hh"

namespace mproc::pool {

class CallbackQueue {
 public:
  // Adds an ended task whose callback is to run; takes over the engine's reference.
  void Push(Future* task);
  // Takes the first; null if there is none. With `wait`, sleeps until there is one or Stop was called.
  Future* Pop(bool wait);
  void Stop();
  size_t size() const { return size_.load(std::memory_order_seq_cst); }

 private:
  mutable std::mutex mutex_;
  std::condition_variable some_;
  Future* first_ = nullptr;  // mutex_
  Future* last_ = nullptr;   // mutex_
  bool stopped_ = false;     // mutex_
  std::atomic<size_t> size_{0};
};

// Runs the callback of an ended task and lets those who wait for the task go on.
void RunCallback(Future* task);

// True on a thread that is inside a callback of this pool.
bool InsideCallbackOf(const Pool* pool);
// True on a thread that is inside a callback of any pool.
bool InsideAnyCallback();

}  // namespace mproc::pool
