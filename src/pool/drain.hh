// SPDX-License-Identifier: MIT
// Who reads the result rings, and how threads wait.
//
// One thread at a time drains: it holds the drain lock, which is only ever tried. A thread that waits for a
// future leads if it gets the lock: it drains, polls a little, arms the host bell of every ready channel for
// the leader's eventfd, looks once more, sleeps. Any other waiting thread follows: it registers, tries the
// lock again, and sleeps on a word of its own until the leader wakes it, because its future ended or because
// the leader leaves. When nobody leads, Settle lets the engine's eventfd be rung instead, if there is
// something to do without a waiting thread: queued tasks to hand out, callbacks, waiters that never lead.
//
// Nothing is lost because every hand-over looks again after it has told the others:
//   leader    arms, looks, sleeps                  worker   publishes, looks at the bell, rings
//   leader    unlocks, wakes a follower or settles  follower registers, tries the lock, sleeps
//   settler   arms, looks, unlocks, looks           engine   puts a note in, tries the lock, else rings
// All ready channels are armed, also those that hold nothing: a task may be given to one while the leader
// sleeps. tests/model checks this protocol, and that it fails if any of these looks is left out.
#pragma once

#include <functional>

#include "base/clock.hh"
#include "base/poll_gate.hh"
#include "pool/core.hh"
#include "pool/dispatcher.hh"

namespace mproc::pool {

class Supervisor;
class SpentRecords;
struct Ending;

// What a thread waits for.
class Condition {
 public:
  virtual ~Condition() = default;
  // May be asked often, by the waiting thread only.
  virtual bool Done() = 0;
  // Called before the thread sleeps, and Done asked again afterwards: whatever makes the condition true from
  // then on must wake everyone.
  virtual void Mark() {}
};

template <typename F>
class ConditionOf : public Condition {
 public:
  explicit ConditionOf(F done) : done_(std::move(done)) {}
  bool Done() override { return done_(); }

 private:
  F done_;
};

class Drain {
 public:
  Drain(Core& core, Dispatcher& dispatcher, Supervisor& supervisor)
      : core_(core), dispatcher_(dispatcher), supervisor_(supervisor) {}

  // Waits until the condition is true. OK, TIMED_OUT, INTERRUPTED. Any thread.
  Status Wait(Condition& condition, const Deadline& deadline);

  // Drains now if nobody else does, and sees to it that what comes next is noticed; lets the leader know if
  // the supervisor is due. Any thread.
  void Settle();

  // Settles if something needs the engine and it has not been told. Cheap if not. Any thread.
  void SettleIfNeeded() {
    if (EngineWanted()) Settle();
  }

  // The engine's bell rang. Engine thread.
  void EngineRung();

  // Reads every result that a worker, which has ended, left behind. Drain lock held.
  void ReadToEnd(WorkerSlot* worker) {
    while (LookAt(worker)) {
    }
  }

 private:
  // What the engine should be rung for now that nobody leads; ipc::HostBell.
  uint32_t BellWanted() const;
  // True if the engine has something to do and has not been told.
  bool EngineWanted() const;
  // -- drain lock held
  // Reads what is there. True if anything was, or if there was no memory and the next look must do it.
  bool Look();
  bool LookOnce();
  bool LookAt(WorkerSlot* worker);
  bool TakeResult(WorkerSlot* worker, const ipc::ResultFrame& frame, SpentRecords* spent);
  // Finds a value in the task's own block; false, with an error, if it cannot be there.
  static bool PlaceValue(const Future& task, const ipc::ResultFrame& frame, Ending* ending);
  // The worker announces a task that it has begun: the position and one more.
  void NoteBegin(WorkerSlot* worker, uint64_t announced);
  // Notes how long the task ran, and waited since it was submitted.
  void NoteTimes(WorkerSlot* worker, const Future& task, Ending* ending);
  [[gnu::cold]] void NoteSlow(const WorkerSlot& worker, const Future& task, int64_t elapsed);
  void NoteWait(WorkerSlot* worker, const Future& task, int64_t submitted, TimesOfFunction* times,
                Ending* ending);
  // Adds the tally to what is told of worker and pool.
  void NoteTally(WorkerSlot* worker);
  void ArmAll(ipc::HostBell bell);
  Status Lead(Condition& condition, const Deadline& deadline);
  bool PollFor(Condition& condition);
  bool YieldFor();
  // -- drain lock not held
  void HandOver();

  struct Tally {
    uint32_t results = 0;
    uint64_t last = 0;
    uint64_t bytes = 0;
    uint64_t value_bytes = 0;
    uint64_t elapsed = 0;
  };

  Core& core_;
  Dispatcher& dispatcher_;
  Supervisor& supervisor_;
  std::atomic<uint32_t> engine_armed_{ipc::kNobody};  // what Settle armed last
  PollGate gate_{256};                                // drain lock
  PollGate yield_gate_{256};                          // drain lock
  Tally tally_;                                       // drain lock; of the worker being looked at
};

}  // namespace mproc::pool
