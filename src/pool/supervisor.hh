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
#include <mutex>
#include <vector>

#include "pool/core.hh"
#include "pool/dispatcher.hh"
#include "pool/engine_side.hh"
#include "pool/worker_link.hh"
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
  bool InboxFilled() const { return inbox_filled_.load(std::memory_order_seq_cst); }
  // Why the pool cannot start workers, or OK; and whether all are ready.
  Status FirstFailure();
  bool AllReady();

  // -- drain lock held
  bool HandleInbox();
  // The worker wrote nonsense: nothing it writes is read any more, and it is killed.
  void Distrust(WorkerSlot* worker);

  // -- the pool's mutex held
  // Moves the pool towards its end as far as it goes: finishes workers, declares the pool joined.
  void Advance();
  // Ends workers of a terminating pool.
  void EndWorkers();

  // The look at workers that do not move, ten times a second while something is out, and at memory that is to
  // be given back, for a while afterwards. `stirred`: something happened since the last one. False when
  // quiet.
  bool Tick(bool stirred);

 private:
  void Deliver(WorkerEvent event);
  Status StartWorker(WorkerSlot* worker);  // mutex (and drain, but for StartAll)
  void StartMissing();                     // mutex and drain
  void OnHello(WorkerSlot* worker, std::shared_ptr<const task::Table> table);
  void OnFailedStart(WorkerSlot* worker, const Status& why);
  void OnExited(WorkerSlot* worker, runtime::ChildExit exit);
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
  WorkerPlan plan_;

  std::mutex inbox_mutex_;
  std::vector<WorkerEvent> inbox_;  // inbox_mutex_
  std::atomic<bool> inbox_filled_{false};

  // mutex
  uint32_t next_number_ = 1;
  int failed_in_row_ = 0;
  int useless_in_row_ = 0;  // workers that ended unasked and had done nothing
  Status first_failure_;
  bool restart_due_ = false;  // a later start is planned
  int quiet_ticks_ = 0;       // engine thread
};

}  // namespace mproc::pool
