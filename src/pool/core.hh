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

#include "platform/fork_guard.hh"
#include "pool/bounds.hh"
#include "pool/function_times.hh"
#include "pool/last_call.hh"
#include "pool/log_delivery.hh"
#include "pool/options.hh"
#include "pool/output.hh"
#include "pool/places.hh"
#include "pool/slowest.hh"
#include "pool/waiters.hh"
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
  std::atomic<uint64_t> recycled{0};
  std::atomic<uint64_t> bytes_in{0};   // changes under the drain lock
  std::atomic<uint64_t> bytes_out{0};  // the same
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
  Options options;                            // constant
  std::shared_ptr<runtime::Runtime> runtime;  // constant
  runtime::Children* children = nullptr;      // constant; the runtime's, by the start method
  platform::GuardedFd leader_bell;            // constant; the leading waiter sleeps on it
  platform::GuardedFd engine_bell;            // constant; the engine's loop watches it
  Places workers;                             // grows; slots as worker_slot.hh says

  std::mutex mutex;
  std::atomic<Phase> phase{Phase::kRunning};  // changes under mutex
  std::atomic<int32_t> terminate_cause{0};    // mutex; MPROC_CAUSE_ of a terminating pool
  bool broken = false;                        // mutex
  Status broken_why;                          // mutex
  std::shared_ptr<const task::Table> table;   // mutex; null until known
  uint64_t next_task_id = 1;                  // mutex
  std::atomic<int32_t> size{0};               // workers that may hold tasks at once; changes under mutex
  bool understaffed = false;                  // mutex; fewer than that: tasks that queue are news

  DrainLock drain_lock;

  Bounds bounds;
  LogDelivery log;
  OutputDelivery output;
  Slowest slowest;
  LastCalls last_calls;
  FunctionTimes times;
  Waiters waiters;
  Counters counters;
  std::atomic<int64_t> callbacks_due{0};    // callbacks that have not returned
  std::atomic<int> given_last{0};           // place of the worker that was given a task last
  std::atomic<bool> leader_asleep{false};   // somebody may sleep on leader_bell
  std::atomic<bool> wake{false};            // one wait is to end
  std::atomic<bool> supervisor_due{false};  // something happened to workers, or has to

  // Whoever drains next lets the supervisor have a look. Followed by a Settle, or by a look of the caller's.
  void CallSupervisor() { supervisor_due.store(true, std::memory_order_seq_cst); }

  // Tasks and maps that have not ended.
  uint64_t live() const {
    uint64_t ended = counters.ended.load(std::memory_order_acquire);
    return counters.submitted.load(std::memory_order_acquire) - ended;
  }
  // Whether it is noted when the task of this id was submitted: a look at the clock costs as much as the rest
  // of a submit.
  bool TimesSubmit(uint64_t id) const {
    constexpr uint64_t kFirst = 1024, kOneIn = 16;
    if (options.timing != MPROC_TIMING_SAMPLED) return options.timing == MPROC_TIMING_ALL;
    return id <= kFirst || id % kOneIn == 0;
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
