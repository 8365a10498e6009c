// SPDX-License-Identifier: MIT
// What a task or map tells before its end: that it has begun, how far it is. Owned by its future, which it
// keeps while it waits for its turn.
#pragma once

#include "pool/due_callback.hh"
#include "pool/future.hh"

namespace mproc::pool {

class EarlyDue : public DueCallback {
 public:
  // Before the task is shared.
  void SetTask(Future* task) { task_ = task; }
  // Puts it into the callback queue, unless it is there. Any thread.
  void Queue() { QueueOnce(false); }
  // The same, for the last time: the end of the task is about to follow.
  void QueueLast() { QueueOnce(true); }
  void Run() final;

 private:
  // Where callbacks run, never two at a time; with a handle that is lent.
  virtual void Tell(const Future& task, mproc_future_t* handle) = 0;

  void QueueOnce(bool last);

  Future* task_ = nullptr;  // constant; a reference for each time that it is queued
};

}  // namespace mproc::pool
