// SPDX-License-Identifier: MIT
// Decides who serves: which workers may hold tasks, which are to leave, and how many are to be started.
// Passive: the supervisor asks after everything that happened to workers, and does what comes out.
//
//   starting ──hello──► waiting ──a seat is free──► seated ──over──► leaving ──holds nothing──► told to
//   finish
//
// Seats. There are as many as the pool is large, and only who has one is given tasks: so no more tasks run at
// once than the pool has workers, though a successor may stand ready before the old worker is gone. A worker
// keeps its seat until it holds nothing.
//
// Leaving. A worker is over when it has run all the tasks that it may, is too old, says that it is too large,
// or was idle for too long, or when the pool became smaller. It runs what it has begun; the rest goes to
// others.
//
// Successors. A worker departs when it leaves, or soon will: the tasks that it may still run, or the time
// that it may still live, come to less than a start takes. Who departs is not counted as staff, so another
// one is started meanwhile.
#pragma once

#include "pool/core.hh"

namespace mproc::pool {

class Dispatcher;

class Staff {
 public:
  Staff(Core& core, Dispatcher& dispatcher) : core_(core), dispatcher_(dispatcher) {}

  // -- the pool's mutex held
  // The pool is to have so many workers.
  void Resize(int32_t size);
  bool AllReady() const;
  // Looks how large those have grown that run a long task.
  void Measure();

  // -- the pool's mutex and the drain lock held
  // Marks who is to leave, and hands out seats.
  void Review(int64_t now);
  // How many workers should be started now.
  int64_t Missing(int64_t now) const;
  // The CPU for a new worker: that with the fewest others. -1 if it may run on any.
  int32_t ChooseCpu(int64_t now) const;
  // When time alone will change something; INT64_MAX if it will not.
  int64_t NextLook(int64_t now) const;

 private:
  bool Over(const WorkerSlot& worker, int64_t now) const;
  bool Departs(const WorkerSlot& worker, int64_t now) const;
  // It is there, or is being started, and neither leaves nor soon will.
  bool Stays(const WorkerSlot& worker, int64_t now) const;
  bool IsIdle(const WorkerSlot& worker) const;
  int64_t Staying(int64_t now) const;
  void Leave(WorkerSlot* worker);
  void DropSurplus(int64_t now);
  void DropIdle(int64_t now);
  void Grow(int64_t now);
  void GiveSeats();

  Core& core_;
  Dispatcher& dispatcher_;
  int64_t wanted_ = 0;  // workers that should stay: the pool's size, or less after idleness (mutex)
};

}  // namespace mproc::pool
