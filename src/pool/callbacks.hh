// SPDX-License-Identifier: MIT
// What waits to be run as a callback, or to be handed out: ended tasks in the order of their ends, and what
// tasks told before. Thread-safe.
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>

#include "platform/fork_guard.hh"
#include "platform/thread.hh"
#include "pool/future.hh"

namespace mproc::pool {

// Bytes of log records, or of output, that wait for their callbacks; what is more is dropped, and counted.
inline constexpr size_t kMostWaiting = 8 << 20;

class CallbackQueue {
 public:
  void Push(DueCallback* due);
  // The same unless it waits there already; with `last` it will not be put there again. False if it was not.
  // Whoever pushes something else afterwards finds it in front, whichever thread has put it there.
  bool PushOnce(DueCallback* due, bool last);
  // Takes the first; null if there is none. With `wait`, sleeps until there is one or Stop was called.
  DueCallback* Pop(bool wait);
  void Stop();
  // A descriptor of the caller's that is readable while something waits.
  Result<platform::UniqueFd> MakeReadable();
  // To be called after Pop: what the descriptor says is true again, whatever was read from it.
  void RefreshReadable();
  size_t size() const { return size_.load(std::memory_order_seq_cst); }

 private:
  void Link(DueCallback* due);  // mutex_ held

  mutable std::mutex mutex_;
  std::condition_variable some_;
  DueCallback* first_ = nullptr;  // mutex_
  DueCallback* last_ = nullptr;   // mutex_
  bool stopped_ = false;          // mutex_
  platform::GuardedFd told_;      // mutex_; the ends of a pipe, once asked for
  platform::GuardedFd tell_;      // mutex_
  std::atomic<size_t> size_{0};
};

// The time that a thread spends in a callback of a pool, which may also leave by ending its thread or, in
// C++, by an exception: it has returned then, too.
class InsideCallback {
 public:
  explicit InsideCallback(Pool* pool);
  ~InsideCallback();
  InsideCallback(const InsideCallback&) = delete;
  InsideCallback& operator=(const InsideCallback&) = delete;

 private:
  friend bool InsideCallbackOf(const Pool* pool);
  Pool* const pool_;
  InsideCallback* const outer_;
};

// What is told once, by a callback that is the pool's and no task's, and is gone then.
class DueOnce : public DueCallback {
 public:
  explicit DueOnce(Pool* pool) : pool_(pool) {}
  void Run() final;

 private:
  virtual void Call() = 0;

  Pool* const pool_;
};

// A handle that is lent to a callback, which should not release it.
class LentHandle {
 public:
  explicit LentHandle(Future* task);
  ~LentHandle();
  LentHandle(const LentHandle&) = delete;
  LentHandle& operator=(const LentHandle&) = delete;
  mproc_future_t* get() const { return reinterpret_cast<mproc_future_t*>(task_); }

 private:
  Future* const task_;
};

// True on a thread that is inside a callback of this pool.
bool InsideCallbackOf(const Pool* pool);
// True on a thread that is inside a callback of any pool.
bool InsideAnyCallback();

}  // namespace mproc::pool
