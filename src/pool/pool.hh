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
#include "pool/progress.hh"
#include "pool/supervisor.hh"
#include "pool/timekeeper.hh"

namespace mproc::pool {

struct PoolStatistics {
  uint64_t queued, queued_bytes, running, workers;
};

struct WorkerInfo {
  int64_t pid, number, state, tasks_done, tasks_held, busy_ns, ready_ns, start_ns, initializer_ns;
};

class Pool : public runtime::Runtime::Member, public std::enable_shared_from_this<Pool> {
 public:
  static Result<std::shared_ptr<Pool>> Create(Options options);
  ~Pool() override;

  Status WaitReady(const Deadline& deadline);
  Status Resize(int32_t size);
  // The future is null unless wanted.
  Status Submit(uint32_t function, Payload payload, const Deadline& deadline, const Callbacks& callbacks,
                Future** future, const Policy& policy = kNoPolicy);
  Status Map(uint32_t function, const MapInput& input, const Callbacks& callbacks, Future** future,
             const Policy& policy = kNoPolicy);
  // Calls the function once in every worker.
  Status Broadcast(uint32_t function, ByteView bytes, Future** future);
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
  // Whether a submit would be refused now, but for want of room.
  Status MaySubmit(uint32_t function);
  bool running() const { return core_.phase.load(std::memory_order_acquire) == Phase::kRunning; }
  // MPROC_CAUSE_ of what ended the pool's tasks; 0 if nothing did.
  int32_t EndCause();
  // Every thread that waits asks for its condition again.
  void LookAgain() { core_.WakeEveryone(); }
  // A thread that waits for futures of several pools registers with each and lets the engine drain.
  void AddOutsider(Waiter* waiter);
  void RemoveOutsider(Waiter* waiter);

  // Bytes for every call of a function under the id that is returned: copied or, with a block, a part of it.
  // With a block, no objects.
  Result<uint32_t> Bind(uint32_t function, ByteView bytes, const SharedBlock* block = nullptr,
                        std::vector<object::PassedObject> objects = {});
  Status Unbind(uint32_t id);
  Result<uint32_t> FindFunction(const std::string& name);
  PoolStatistics Statistics();
  const Counters& counters() const { return core_.counters; }
  const LogDelivery& log() const { return core_.log; }
  const FunctionTimes& times() const { return core_.times; }
  // Workers that it is to have, and places that it has for them.
  int32_t size() const { return core_.size.load(std::memory_order_relaxed); }
  int32_t place_count() const { return static_cast<int32_t>(core_.workers.size()); }
  WorkerInfo InfoOf(int32_t place);
  // The slowest task, the next one, ...; END behind the last.
  Result<SlowTask> SlowestAt(size_t index);
  Progress ProgressOf(const Future& task);
  Status BrokenWhy();
  // All that can be told, as text.
  std::string Dump();
  uint32_t epoch() const { return epoch_; }

  // -- for completion.cc and callbacks.cc
  // A task that others see has ended.
  void Ended(int32_t outcome, bool waited);
  // Before anybody sees that: the bytes bound to its function may go.
  void DropBound(uint32_t function) { core_.bounds.End(function); }
  bool CallbacksDelayReady() const { return core_.options.callbacks == MPROC_CALLBACKS_THREAD; }
  void QueueCallback(Future* task);
  void QueueDue(DueCallback* due);
  // As CallbackQueue::PushOnce.
  bool QueueDueOnce(DueCallback* due, bool last);
  // The task or map, which is about to end, becomes ready when what is queued has run. Not in dispatch mode.
  void EndAfterCallbacks(Future* task);
  // What was queued as due has run.
  void DueRan();
  void CallbackReturned(Future* task);
  // A chain of so many records that nobody holds.
  void FreeRecords(Future* first, Future* last, uint64_t count);
  // -- for the dispatcher; mutex held
  Future* NewRecord();

  // -- runtime::Runtime::Member
  void BeginEnd() override { Terminate(MPROC_CAUSE_DESTROY); }
  bool WaitEnded(const Deadline& deadline) override;

 private:
  explicit Pool(Options options);
  Status Start();
  bool runs() const {  // mutex held
    return core_.phase.load(std::memory_order_relaxed) == Phase::kRunning && !core_.broken;
  }
  Status CheckRunning() { return runs() ? Status() : WhyNotRunning(); }
  Status WhyNotRunning();
  Status CheckSubmit(uint32_t function) {  // mutex held
    bool known = core_.table && core_.table->Find(function);
    return known && runs() ? Status() : CheckUnusual(function);
  }
  Status CheckUnusual(uint32_t function);
  // Whether the end of a task with these callbacks goes through the callback queue.
  bool Tells(const Callbacks& callbacks) const {
    return callbacks.any() || callbacks.release ||
           (core_.options.callbacks == MPROC_CALLBACKS_NEXT && !callbacks.quiet);
  }
  Status CheckCallbacks(const Callbacks& callbacks) {
    return callbacks.any() || callbacks.release ? ReadyForCallbacks(callbacks) : Status();
  }
  Status ReadyForCallbacks(const Callbacks& callbacks);
  Status EnsureCallbackThread();
  Status MakeRoom(std::unique_lock<std::mutex>* lock, uint64_t bytes, const Deadline& deadline);
  std::unique_ptr<Extra> NewExtra(const Callbacks& callbacks, const Policy& policy);
  Future* NewTask(uint32_t function, const Callbacks& callbacks, const Policy& policy, bool wanted,
                  bool needs_extra);  // mutex held
  void NoteSubmit(Future* task);      // mutex held
  // A record for a map, in *future, too, if that is wanted; counted as submitted. Null without memory.
  Future* NewMap(uint32_t function, std::unique_ptr<MapState> map, const Callbacks& callbacks,
                 const Policy& policy, Future** future);  // mutex held
  Status Unmake(Future* task, Future** future, Status why);
  void AfterSubmit(bool queued);
  Status AfterCancel(bool any);
  void RunCallbackThread();
  void FinishDestroy();
  void CountFreed(uint64_t count);
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
  ProgressWatch progress_{core_};
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
