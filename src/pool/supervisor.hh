// SPDX-License-Identifier: MIT
// The life of a pool's workers: start, hello, death, replacement, end; and the pool's own way to its end.
//
// What happens to workers is told by the engine thread and handled by whoever drains (HandleInbox), so that a
// death never races with the reading of the dead worker's results. A death is handled in this order: the exit
// report has come, so nothing is written any more; the result ring is read to its end; tasks that the worker
// had claimed are lost, the others go back to the front of the queue; the channel is dropped; a new worker is
// started if the pool still needs it.
#pragma once

#include <atomic>
#include <functional>
#include <list>
#include <mutex>
#include <vector>

#include "pool/alarm.hh"
#include "pool/core.hh"
#include "pool/dispatcher.hh"
#include "pool/engine_side.hh"
#include "pool/staff.hh"
#include "pool/worker_start.hh"

namespace mproc::pool {

class Drain;
class Timekeeper;

class Supervisor {
 public:
  Supervisor(Core& core, Dispatcher& dispatcher, Timekeeper& keeper)
      : core_(core), dispatcher_(dispatcher), keeper_(keeper) {}

  // Finds the program and starts every worker. Before the pool is shared.
  Status StartAll(Drain* drain, std::shared_ptr<EngineSide> engine, std::shared_ptr<void> pool_reference);

  // Any thread.
  // Why the pool cannot start workers, or OK; and whether all are ready.
  Status FirstFailure();
  bool AllReady();

  // -- drain lock held
  // Handles what happened to workers. False if nothing did.
  bool HandleInbox();
  // The worker wrote nonsense: nothing it writes is read any more, and it is killed.
  void Distrust(WorkerSlot* worker);

  // -- the pool's mutex held
  // The pool is to have so many workers.
  void Resize(int32_t size) { staff_.Resize(size); }
  // Moves the pool towards its end as far as it goes: finishes workers, declares the pool joined.
  void Advance();
  // Ends workers of a terminating pool.
  void EndWorkers();

  // The look at workers that do not move, ten times a second while something is out, and at memory that is to
  // be given back, for a while afterwards. `stirred`: something happened since the last one. False when
  // quiet.
  bool Tick(bool stirred);

 private:
  static constexpr int kMostFailedStarts = 5;  // in a row

  void Deliver(WorkerEvent event);
  Status StartWorker(WorkerSlot* worker);  // mutex (and drain, but for StartAll)
  // Lets workers go and starts others, as the staff says.
  void Attend();        // mutex and drain
  void StartMissing();  // mutex and drain
  // A worker that holds nothing is to end.
  void Dismiss(WorkerSlot* worker);
  // Lets its loop end; what its finalizer then gives is awaited.
  void OrderToFinish(WorkerSlot* worker);
  // Attend is due, because of the time.
  void Come(int64_t when);
  void Handle(WorkerEvent* event);
  void OnHello(WorkerSlot* worker, std::shared_ptr<const task::Table> table);
  void OnFailedStart(WorkerSlot* worker, const Status& why);
  void OnExited(WorkerSlot* worker, const WorkerEvent& event);
  // Counts against the limit of deaths.
  void NoteDeath(const WorkerSlot& worker, const runtime::ChildExit& exit);
  // Starts what is missing after a time that grows with the failures in a row.
  void StartLater(int failures);
  void Break(const Status& why);
  // Ends what is queued in a broken pool whose last worker is gone.
  void WithdrawIfNobodyServes();
  size_t ReadyWorkers() const;
  void Kill(WorkerSlot* worker);

  Core& core_;
  Dispatcher& dispatcher_;
  Timekeeper& keeper_;
  Drain* drain_ = nullptr;
  std::shared_ptr<EngineSide> engine_;
  std::shared_ptr<void> pool_reference_;  // given to those that deliver; dropped when joined
  start::Plan plan_;

  std::mutex inbox_mutex_;
  std::list<WorkerEvent> inbox_;   // inbox_mutex_; core_.supervisor_due tells that there is something
  std::list<WorkerEvent> events_;  // taken out; drain lock

  // mutex
  Staff staff_{core_, dispatcher_};
  uint32_t next_number_ = 1;
  int failed_in_row_ = 0;
  int useless_in_row_ = 0;       // workers that ended unasked and had done nothing
  std::vector<int64_t> deaths_;  // when, of those that may still count
  Status first_failure_;
  bool restart_due_ = false;  // a later start is planned
  Alarm alarm_;               // for Attend
  int quiet_ticks_ = 0;       // engine thread
};

}  // namespace mproc::pool
