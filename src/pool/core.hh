// SPDX-License-Identifier: MIT
// What the parts of one pool share. A passive struct: dispatcher, drain and supervisor work on it.
//
// Two locks. `mutex` guards what tasks wait and which worker holds what; it is held briefly, by any thread.
// `drain_lock` makes one thread at a time the drainer, which reads result rings and handles what happened to
// workers; it is only ever tried, never waited for. Order: drain_lock, then mutex.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

#include "pool/options.hh"
#include "pool/waiters.hh"
#include "pool/worker_slot.hh"
#include "runtime/fork_guard.hh"
#include "runtime/runtime.hh"
#include "task/table.hh"

namespace mproc::pool {

class Pool;

//  kRunning ──close──► kClosing ──┐
//      │                  │       ├─ no task and no worker left ─► kJoined
//      └────terminate─────┴─► kTerminating ─┘
enum class Phase : uint8_t { kRunning, kClosing, kTerminating, kJoined };

struct Counters {
  std::atomic<uint64_t> ended{0};             // tasks and maps, whatever their outcome
  std::atomic<uint64_t> ended_badly[8] = {};  // by outcome, but for values
  std::atomic<uint64_t> submitted{0};         // changes under the pool's mutex
  std::atomic<uint64_t> starts{0};
  std::atomic<uint64_t> deaths{0};
  std::atomic<uint64_t> taken_back{0};
  std::atomic<uint64_t> retried{0};
};

// A lock that is only tried. Sequentially consistent: who fails to get it has told its news before, and who
// gives it back looks for news afterwards.
class DrainLock {
 public:
  bool try_lock() { return !held_.load() && !held_.exchange(true); }
  void unlock() { held_.store(false); }

 private:
  std::atomic<bool> held_{false};
};

struct Core {
  Options options;                                   // constant
  std::shared_ptr<runtime::Runtime> runtime;         // constant
  runtime::GuardedFd leader_bell;                    // constant; the leading waiter sleeps on it
  runtime::GuardedFd engine_bell;                    // constant; the engine's loop watches it
  std::vector<std::unique_ptr<WorkerSlot>> workers;  // the vector is constant; slots as worker_slot.hh says

  std::mutex mutex;
  std::atomic<Phase> phase{Phase::kRunning};  // changes under mutex
  std::atomic<int32_t> terminate_cause{0};    // mutex; MPROC_CAUSE_ of a terminating pool
  bool broken = false;                        // mutex
  Status broken_why;                          // mutex
  std::shared_ptr<const task::Table> table;   // mutex; null until known
  uint64_t next_task_id = 1;                  // mutex

  DrainLock drain_lock;

  Waiters waiters;
  Counters counters;
  std::atomic<int64_t> callbacks_due{0};   // callbacks that have not returned
  std::atomic<int> given_last{0};          // place of the worker that was given a task last
  std::atomic<bool> leader_asleep{false};  // somebody may sleep on leader_bell
  std::atomic<bool> wake{false};           // one wait is to end

  // Tasks and maps that have not ended.
  uint64_t live() const {
    uint64_t ended = counters.ended.load(std::memory_order_acquire);
    return counters.submitted.load(std::memory_order_acquire) - ended;
  }
  bool ending() const { return phase.load(std::memory_order_acquire) >= Phase::kTerminating; }
  // The leader, or else whoever leads next, takes the wake and ends its wait. Async-signal-safe.
  void WakeOneWait() {
    wake.store(true, std::memory_order_seq_cst);
    if (leader_asleep.load(std::memory_order_seq_cst)) platform::RingEventFd(leader_bell.get());
  }
  bool TakeWake() { return wake.load(std::memory_order_seq_cst) && wake.exchange(false); }
  // Lets every waiting thread look again, the leader too.
  void WakeEveryone() {
    waiters.WakeAll();
    if (leader_asleep.load(std::memory_order_seq_cst)) platform::RingEventFd(leader_bell.get());
  }
};

}  // namespace mproc::pool
