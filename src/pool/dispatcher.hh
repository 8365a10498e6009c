// SPDX-License-Identifier: MIT
// Chooses which worker gets which task, and keeps those that must wait. Every call needs the pool's mutex.
//
// Rules. A queue that is not empty is never bypassed. An awake worker whose tasks would be done within 25 us
// is given more before a sleeping one is woken; then the idle worker that was used last; then the one that
// holds least, up to its depth (half a millisecond of work). A worker that becomes idle takes the oldest
// unclaimed task of the others back. A task with a priority is given to idle workers only, so that the order
// of all that wait is decided as late as can be; one above the usual has what workers have not begun taken
// back.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "pool/completion.hh"
#include "pool/core.hh"
#include "pool/returned_tasks.hh"

namespace mproc::pool {

class Timekeeper;

class Dispatcher {
 public:
  Dispatcher(Pool* pool, Core& core, Timekeeper* keeper) : pool_(pool), core_(core), keeper_(keeper) {}

  // Takes the memory that Submit needs for itself.
  void Prepare();
  // Gives the task to a worker or queues it; a payload that the record does not hold yet is `bytes`, which
  // are copied once, to where the worker reads them, or to the record. OUT_OF_MEMORY leaves the task with the
  // caller.
  Status Submit(Future* task, ByteView bytes = {});
  // Gives queued tasks to workers as long as some can take more; then lets idle workers take over what
  // others have not begun.
  void Fill();
  // Puts tasks that a worker had not begun back, in the order of their submission, before all others.
  void Requeue(std::span<Future* const> tasks);

  // Gives the next item of a map to each of the workers: all of them.
  void SubmitTo(const std::vector<WorkerSlot*>& workers, Future* map);
  // Gives a ready worker what is for it only.
  void GiveOwn(WorkerSlot* worker);

  bool queue_empty() const { return !first_ && returned_.empty(); }
  // The same without the mutex: what was true lately.
  bool queue_hint() const { return queue_hint_.load(std::memory_order_seq_cst); }
  uint64_t queued() const { return queued_; }
  uint64_t queued_bytes() const { return queued_bytes_; }
  // Whether the bounds of the queue let one more task in.
  bool HasRoomFor(uint64_t bytes) const;

  // Takes a task out of the queue or back from a worker that has not begun it, and ends it as `ending` says;
  // of a map every chunk that has not begun. False if that is too late.
  bool Withdraw(Future* task, const std::function<Ending()>& ending);
  // A task that was run and lost, or failed, is to be run again, when its back-off is over.
  void RunAgain(Future* task);
  // Puts tasks back whose time has come; when the next one's does.
  int64_t ReturnDelayed(int64_t now);
  // Takes out everything that no worker has begun and ends it as `ending` says.
  void WithdrawAll(const std::function<Ending()>& ending);

  // The worker may be given tasks.
  void WorkerReady(WorkerSlot* worker);
  // Takes back what the worker has not begun, and puts it before all others. What is for it only stays there,
  // unless the worker begins nothing more.
  void Relieve(WorkerSlot* worker);
  void WorkerGone(WorkerSlot* worker);
  // `worker` has ended tasks or passed taken slots.
  void Progress(WorkerSlot* worker);
  // Takes back what waits behind tasks that do not end (a stopped worker, a long task). From the
  // supervisor's tick.
  void RescueStuck();

 private:
  // What of the backlog has one priority.
  struct Lane {
    int32_t priority;
    Future* last;
  };
  struct Delayed {
    int64_t until;
    Future* task;
  };

  // A task for one worker waits until that has room ...
  static void Keep(WorkerSlot* worker, Future* task);
  // ... and is lost at the end of the worker; also if it was taken back. False if any worker may run it.
  static void LoseOwn(WorkerSlot* worker);
  static bool LoseIfOwn(Future* task);
  // Ends what such a map, or each (null), has waiting for its workers.
  bool WithdrawOwn(const Future* map, const std::function<Ending()>& ending);

  // Takes out a task that is not a map; the caller ends it.
  bool WithdrawOne(Future* task);
  WorkerSlot* Choose(const Future& task);
  void RelieveAll();
  // Something that it held has gone: it may be idle now.
  void ListIdle(WorkerSlot* worker);
  WorkerSlot* PopIdle(uint64_t bytes);
  // A record for the next chunk of a map; null without memory.
  Future* NewChunk(Future* map);
  // The same, and it is the next one again.
  void PutBack(Future* task);
  // The next task to give out; null if none is left.
  Future* Next();
  void Enqueue(Future* task);
  // Puts it into the backlog, behind all of the same or a higher priority.
  void Link(Future* task);
  // False if the worker could not be given the task, which is then the caller's again; also without memory.
  bool Give(WorkerSlot* worker, Future* task, ByteView bytes = {});
  Status Hand(WorkerSlot* worker, Future* task, ByteView bytes, int64_t limit);
  // The worker could not be given the task. True if that is the end of the task.
  bool Refused(WorkerSlot* worker, Future* task, const Status& why);
  void FillAll();
  void Balance();
  void PublishHint() {
    if (queue_hint_.load(std::memory_order_relaxed) == queue_empty()) queue_hint_.store(!queue_empty());
  }
  // Position of the oldest task that the worker has not begun and others may run; UINT64_MAX if none.
  uint64_t OldestQueued(const WorkerSlot& worker) const;
  bool HasIdle();

  Pool* pool_;
  Core& core_;
  Timekeeper* keeper_;
  Future* first_ = nullptr;        // the backlog; a map stays in front until its chunks are made
  std::vector<Lane> lanes_;        // of the backlog, the highest first; none is empty
  ReturnedTasks returned_;         // before the backlog
  std::vector<Delayed> delayed_;   // to be run again, not before a time
  std::vector<WorkerSlot*> idle_;  // used last = at the end; entries may be stale
  WorkerSlot* current_ = nullptr;  // given to last
  WorkerSlot* poller_ = nullptr;   // may poll
  uint64_t queued_ = 0;            // tasks in the backlog (a map: its chunks)
  uint64_t queued_bytes_ = 0;
  std::atomic<bool> queue_hint_{false};
};

}  // namespace mproc::pool
