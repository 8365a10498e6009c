// SPDX-License-Identifier: MIT
// What happens to tasks because time has passed: limits, deadlines, kills after a grace time, and retries
// after a back-off.
//
// A limit counts from the start of its task, which the worker tells in the channel. The keeper looks there
// once in half the time that the task may take, so that no start stays unseen until it is too late; from then
// on it knows when to come again. Nothing is looked at while no task has a limit.
//
// A worker is killed for the sake of one task, and no other may be harmed. So first everything that it has
// not claimed is taken back, and it is given nothing more. If it had claimed a later task already, then the
// one in question has ended: its result is read first.
//
// Guarded by the pool's mutex; Look runs on the engine's thread.
#pragma once

#include <memory>
#include <vector>

#include "pool/alarm.hh"
#include "pool/core.hh"

namespace mproc::pool {

class Dispatcher;
class Drain;

class Timekeeper {
 public:
  Timekeeper(Core& core, Dispatcher& dispatcher, Drain& drain)
      : core_(core), dispatcher_(dispatcher), drain_(drain) {}

  // Before the pool is shared. `keep` lives until Close.
  void Open(std::shared_ptr<EngineSide> engine, std::shared_ptr<void> keep);
  // The pool has joined.
  void Close();

  // -- mutex held
  // Takes the memory that Given needs: who has handed a task out must not fail.
  static void PrepareFor(WorkerSlot* worker);
  // A task with a time limit was given to the worker, as its newest.
  void Given(WorkerSlot* worker, int64_t limit, int64_t grace);
  // Takes the memory that Submitted needs.
  void Prepare();
  // A task or map that has to end in time was submitted; takes over one reference.
  void Submitted(Future* task, int64_t deadline);
  // Comes back at this time.
  void ComeAt(int64_t when) { alarm_.SetTo(when); }
  // What could not be planned for want of memory is. False if it still cannot be.
  bool Retry() { return alarm_.Retry(); }
  // Ends a task or map wherever it is: what has not begun at once, what runs is told to stop and killed after
  // `grace`. False if there was nothing left to end.
  bool Stop(Future* task, int64_t grace, int32_t outcome, int32_t cause);

 private:
  struct Due {
    int64_t when;
    Future* task;  // retained
  };

  // Comes as planned for `when`.
  void Look(int64_t when);
  int64_t LookAtDeadlines(int64_t now);
  int64_t LookAtWorker(WorkerSlot* worker, int64_t now);
  // The task at `position` runs in the worker, or has just ended: it should stop, and will be killed.
  void StopRunning(WorkerSlot* worker, uint64_t position, int64_t kill_at, int32_t outcome, int32_t cause);
  // True if the task has ended or its worker is on its way out.
  bool Kill(WorkerSlot* worker, WatchedTask* task, int64_t now);

  Core& core_;
  Dispatcher& dispatcher_;
  Drain& drain_;
  Alarm alarm_;  // for Look
  std::vector<Due> deadlines_;
  int64_t next_deadline_ = INT64_MAX;  // when deadlines_ need a look
};

}  // namespace mproc::pool
