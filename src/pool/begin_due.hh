// SPDX-License-Identifier: MIT
// The callback that tells once that a task, or the first chunk of a map, has begun.
//
// Its task is given out with a mark that lets the worker ring when it begins it; who drains then finds it as
// the one that its worker has announced last. One that has ended before anybody looked is found by its
// result, one whose worker died by its being claimed: both come here before the task ends.
#pragma once

#include <atomic>

#include "pool/early_due.hh"

namespace mproc::pool {

class WorkerSlot;

class BeginDue final : public EarlyDue {
 public:
  BeginDue(mproc_started_cb callback, void* user_data) : callback_(callback), user_data_(user_data) {}
  // The worker has begun it, or a chunk of it. The pool's drain lock is held.
  static void Note(Future* task, const WorkerSlot& worker) {
    if (BeginDue* due = task->begin()) due->NoteOnce(worker);
  }
  // Whether the task is to be announced by its worker. Any thread.
  static bool Waits(const Future& task) {
    const BeginDue* due = task.begin();
    return due && !due->noted_.load(std::memory_order_relaxed);
  }

 private:
  void NoteOnce(const WorkerSlot& worker);
  void Tell(const Future& task, mproc_future_t* handle) override;

  const mproc_started_cb callback_;
  void* const user_data_;
  std::atomic<bool> noted_{false};  // changes under the drain lock, and these with it
  int32_t worker_pid_ = 0;
  uint32_t worker_number_ = 0;
};

}  // namespace mproc::pool
