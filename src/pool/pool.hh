// SPDX-License-Identifier: MIT
// The front of a pool: what the C edge calls. Thread-safe; every call may come from any thread and from a
// callback unless its comment says otherwise.
//
// Life. The pool keeps itself alive until Destroy has ended and the last of its future records is free;
// the engine's handles and the callback thread keep it alive while they live. Destroy ends the workers and
// waits for that; a pool that a callback destroys is waited for after the callback, by the same thread.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>

#include "pool/callbacks.hh"
#include "pool/core.hh"
#include "pool/dispatcher.hh"
#include "pool/drain.hh"
#include "pool/engine_side.hh"
#include "pool/map.hh"
#include "pool/supervisor.hh"
#include "pool/timekeeper.hh"

namespace mproc::pool {

struct PoolStatistics {
  uint64_t queued, queued_bytes, running, workers;
};

struct WorkerInfo {
  int64_t pid, number, state, tasks_done, tasks_held;
};

class Pool : public runtime::Runtime::Member, public std::enable_shared_from_this<Pool> {
 public:
  static Result<std::shared_ptr<Pool>> Create(Options options);
  ~Pool() override;

  Status WaitReady(const Deadline& deadline);
  // The future is null unless wanted.
  Status Submit(uint32_t function, Payload payload, const Deadline& deadline, const Callbacks& callbacks,
                Future** future, const Policy& policy = {});
  Status Map(uint32_t function, const MapInput& input, const Callbacks& callbacks, Future** future,
             const Policy& policy = {});
  Status Dispatch(size_t max, size_t* ran);
  // The future comes with a handle.
  Status Next(const Deadline& deadline, Future** future, void** user_data);
  Result<platform::UniqueFd> MakeReadable();
  // Async-signal-safe.
  void Wake() { core_.WakeOneWait(); }
  bool TakeWake() { return core_.TakeWake(); }
  void Close();
  void Terminate(int32_t cause = MPROC_CAUSE_TERMINATE);
  Status Join(const Deadline& deadline);
  // The handle is gone: terminate, wait, run the callbacks that are left.
  void Destroy();

  Status Wait(Condition& condition, const Deadline& deadline) { return drain_.Wait(condition, deadline); }
  // Takes in what is there, so that a question about a future is answered by the latest news.
  void Refresh() { drain_.Settle(); }
  // Only what no worker has begun.
  Status Cancel(Future* future);
  // What runs, too: it is told, and its worker killed after the grace time.
  Status CancelRunning(Future* future, int64_t grace);
  // A thread that waits for futures of several pools registers with each and lets the engine drain.
  void AddOutsider(Waiter* waiter);
  void RemoveOutsider(Waiter* waiter);

  Result<uint32_t> FindFunction(const std::string& name);
  PoolStatistics Statistics();
  const Counters& counters() const { return core_.counters; }
  int32_t worker_count() const { return static_cast<int32_t>(core_.workers.size()); }
  WorkerInfo InfoOf(int32_t place);
  Status BrokenWhy();
  uint32_t epoch() const { return epoch_; }

  // -- for completion.cc and callbacks.cc
  // A task that others see has ended.
  void Ended(int32_t outcome, bool waited);
  bool CallbacksDelayReady() const { return core_.options.callbacks == MPROC_CALLBACKS_THREAD; }
  void QueueCallback(Future* task);
  void CallbackReturned(Future* task);
  void FreeRecord(Future* record);
  // -- for the dispatcher; mutex held
  Future* NewRecord();

  // -- runtime::Runtime::Member
  void BeginEnd() override { Terminate(MPROC_CAUSE_DESTROY); }
  bool WaitEnded(const Deadline& deadline) override;

 private:
  explicit Pool(Options options);
  Status Start();
  Status CheckSubmit(uint32_t function);  // mutex held
  // Whether the end of a task with these callbacks goes through the callback queue.
  bool Tells(const Callbacks& callbacks) const;
  Status CheckCallbacks(const Callbacks& callbacks);
  Status EnsureCallbackThread();
  Status MakeRoom(std::unique_lock<std::mutex>* lock, uint64_t bytes, const Deadline& deadline);
  Future* NewTask(uint32_t function, const Callbacks& callbacks, const Policy& policy,
                  bool wanted);  // mutex held
  Status Unmake(Future* task, Future** future, Status why);
  void AfterSubmit(bool queued);
  Status AfterCancel(bool any);
  void RunCallbackThread();
  void FinishDestroy();
  void CountFreed();
  void DropSelf();
  bool Joined() const {
    return core_.phase.load(std::memory_order_seq_cst) == Phase::kJoined &&
           (!CallbacksDelayReady() || core_.callbacks_due.load(std::memory_order_seq_cst) == 0);
  }

  const uint32_t epoch_;
  Core core_;
  Dispatcher dispatcher_{this, core_, &keeper_};
  Supervisor supervisor_{core_, dispatcher_, keeper_};
  Drain drain_{core_, dispatcher_, supervisor_};
  Timekeeper keeper_{core_, dispatcher_, drain_};
  std::shared_ptr<EngineSide> engine_;
  CallbackQueue callbacks_;
  std::mutex thread_mutex_;
  platform::Thread callback_thread_;  // thread_mutex_
  std::atomic<bool> dispatching_{false};
  std::atomic<int> waiting_for_next_{0};
  std::atomic<bool> destroy_later_{false};  // a callback destroyed the pool
  uint32_t submits_ = 0;                    // mutex

  Future* free_ = nullptr;                  // records to hand out; mutex
  std::atomic<Future*> returned_{nullptr};  // records that came back, pushed by any thread
  // The pool lives until every record is free and Destroy has ended: each adds one to freed_, and the one
  // that reaches last_free_ (unknown before the end of Destroy) drops self_.
  uint64_t made_ = 0;  // records given out; mutex
  std::atomic<uint64_t> freed_{0};
  std::atomic<uint64_t> last_free_{UINT64_MAX};
  std::shared_ptr<Pool> self_;
};

// How many workers a pool gets if nobody says.
int32_t DefaultWorkers();

}  // namespace mproc::pool
