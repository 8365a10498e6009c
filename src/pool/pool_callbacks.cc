// SPDX-License-Identifier: MIT
// The part of the pool that brings ended tasks to their callbacks.
#include "pool/arrivals.hh"
#include "pool/callbacks.hh"
#include "pool/completion.hh"
#include "pool/pool.hh"

namespace mproc::pool {
namespace {

constexpr size_t kCallbackStack = 8 << 20;  // callbacks are the host's code: what its main thread has

}  // namespace

void Pool::Ended(int32_t outcome, bool waited) {
  if (outcome != MPROC_OUTCOME_VALUE) {
    core_.counters.ended_badly[outcome & 7].fetch_add(1, std::memory_order_relaxed);
  }
  core_.counters.ended.fetch_add(1, std::memory_order_acq_rel);
  if (waited) core_.WakeEveryone();
}

void Pool::QueueCallback(Future* task) {
  bool ready_at_once = !CallbacksDelayReady();
  if (ready_at_once) Retain(task);  // it may be handed out and released as soon as it is in the queue
  if (task->extra->progress) task->extra->progress->QueueLast();
  task->extra->end.SetTask(task);
  callbacks_.Push(&task->extra->end);
  bool waited = waiting_for_next_.load(std::memory_order_seq_cst) != 0;
  if (ready_at_once) waited |= (task->state.fetch_or(kReady, std::memory_order_seq_cst) & kWaited) != 0;
  if (waited) core_.WakeEveryone();
  if (ready_at_once) Release(task);
}

void Pool::QueueDue(DueCallback* due) {
  core_.callbacks_due.fetch_add(1, std::memory_order_seq_cst);
  callbacks_.Push(due);
}

bool Pool::QueueDueOnce(DueCallback* due, bool last) {
  core_.callbacks_due.fetch_add(1, std::memory_order_seq_cst);
  bool put = callbacks_.PushOnce(due, last);
  if (!put) DueRan();
  return put;
}

void Pool::EndAfterCallbacks(Future* task) {
  if (!CallbacksDelayReady()) return;
  if (!task->extra) task->extra = new (std::nothrow) Extra();
  if (!task->extra) return;  // its order is the price
  if (!std::exchange(task->extra->told, true)) core_.callbacks_due.fetch_add(1, std::memory_order_seq_cst);
}

void Pool::DueRan() {
  if (core_.callbacks_due.fetch_sub(1, std::memory_order_seq_cst) == 1) core_.WakeEveryone();
}

Status Pool::ReadyForCallbacks(const Callbacks& callbacks) {
  if (callbacks.any() && core_.options.callbacks == MPROC_CALLBACKS_NEXT) {
    return Status(MPROC_ERROR_INVALID_ARGUMENT, "the pool hands out what has ended: it runs no callbacks");
  }
  return EnsureCallbackThread();
}

void Pool::CallbackReturned(Future* task) {
  uint32_t before = task->state.fetch_or(kReady, std::memory_order_seq_cst);
  bool last = core_.callbacks_due.fetch_sub(1, std::memory_order_seq_cst) == 1;
  Arrivals* arrivals = task->extra->arrivals.get();
  bool waited = arrivals && arrivals->Add(task);
  if ((before & kWaited) || waited || last) core_.WakeEveryone();
  Release(task);
}

Status Pool::EnsureCallbackThread() {
  if (!CallbacksDelayReady()) return Status();
  std::lock_guard lock(thread_mutex_);
  if (callback_thread_.started()) return Status();
  return callback_thread_.Start("mproc-callback", kCallbackStack,
                                [self = shared_from_this()] { self->RunCallbackThread(); });
}

void Pool::RunCallbackThread() {
  bool ended = false;
  while (DueCallback* due = callbacks_.Pop(true)) {
    due->Run();
    if (ended || !destroy_later_.load(std::memory_order_seq_cst)) continue;
    ended = true;
    WaitEnded(Deadline::After(MPROC_FOREVER));
    callbacks_.Stop();  // what the end has queued still runs
  }
  if (!ended) return;
  {
    std::lock_guard lock(thread_mutex_);
    callback_thread_.Detach();
  }
  DropSelf();
}

Status Pool::Dispatch(size_t max, size_t* ran) {
  if (core_.options.callbacks != MPROC_CALLBACKS_DISPATCH) {
    return Status(MPROC_ERROR_INVALID_ARGUMENT, "the pool's callbacks are not run by dispatch");
  }
  if (InsideCallbackOf(this) || dispatching_.exchange(true)) {
    return Status(MPROC_ERROR_WOULD_BLOCK_ITSELF, "another dispatch of this pool is under way");
  }
  auto self = shared_from_this();
  size_t count = 0;
  {
    struct End {
      std::atomic<bool>& dispatching;
      ~End() { dispatching.store(false); }
    } end{dispatching_};  // also if a callback ends its thread
    drain_.Settle();
    size_t limit = max ? max : callbacks_.size();
    for (; count < limit; count++) {
      DueCallback* due = callbacks_.Pop(false);
      if (!due) break;
      due->Run();
    }
  }
  callbacks_.RefreshReadable();
  if (ran) *ran = count;
  if (destroy_later_.exchange(false)) FinishDestroy();
  return Status();
}

Status Pool::Next(const Deadline& deadline, Future** future, void** user_data) {
  if (core_.options.callbacks != MPROC_CALLBACKS_NEXT) {
    return Status(MPROC_ERROR_INVALID_ARGUMENT, "the pool was not made to hand out what has ended");
  }
  auto self = shared_from_this();
  class Any : public Condition {
   public:
    explicit Any(Pool& pool) : pool_(pool) {}
    ~Any() override {
      if (marked_) pool_.waiting_for_next_.fetch_sub(1, std::memory_order_seq_cst);
    }
    bool Done() override {
      return pool_.callbacks_.size() > 0 ||
             pool_.core_.phase.load(std::memory_order_seq_cst) == Phase::kJoined;
    }
    void Mark() override {
      if (!marked_) pool_.waiting_for_next_.fetch_add(1, std::memory_order_seq_cst);
      marked_ = true;
    }

   private:
    Pool& pool_;
    bool marked_ = false;
  } any(*this);
  for (;;) {
    if (DueCallback* due = callbacks_.Pop(false)) {
      Future* task = due->ended();  // nothing else comes in this mode
      callbacks_.RefreshReadable();
      if (user_data) *user_data = task->extra->callbacks.user_data;
      AddHandle(task);
      *future = task;
      task->extra->callbacks.Release();
      CallbackReturned(task);
      return Status();
    }
    if (core_.phase.load(std::memory_order_seq_cst) == Phase::kJoined && callbacks_.size() == 0) {
      return Status(MPROC_ERROR_NOT_RUNNING, "the pool has ended and all was handed out");
    }
    if (Status waited = drain_.Wait(any, deadline); !waited.ok()) return waited;
  }
}

Result<platform::UniqueFd> Pool::MakeReadable() {
  if (CallbacksDelayReady()) {
    return Status(MPROC_ERROR_INVALID_ARGUMENT, "the pool runs its callbacks on a thread of its own");
  }
  auto made = callbacks_.MakeReadable();
  drain_.Settle();  // what has ended already
  return made;
}

}  // namespace mproc::pool
