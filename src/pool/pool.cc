// SPDX-License-Identifier: MIT
#include "pool/pool.hh"

#include <mproc/pool.h>

#include <algorithm>
#include <new>

#include "platform/cpu.hh"
#include "platform/fork_mark.hh"
#include "pool/begin_due.hh"
#include "pool/callbacks.hh"
#include "pool/completion.hh"
#include "pool/future_slab.hh"
#include "pool/worker_start.hh"

namespace mproc::pool {
namespace {

constexpr uint32_t kDrainEvery = 64;  // submits, so that results do not pile up

}  // namespace

int32_t DefaultWorkers() { return platform::UsableCpus(); }

Pool::Pool(Options options) : epoch_(platform::ForkEpoch()) { core_.options = std::move(options); }

Pool::~Pool() {
  FutureSlab& slab = FutureSlab::Get();
  slab.GiveBack(free_);
  slab.GiveBack(returned_.exchange(nullptr));
}

Result<std::shared_ptr<Pool>> Pool::Create(Options options) {
  if (options.workers == 0) options.workers = DefaultWorkers();
  auto pool = std::shared_ptr<Pool>(new Pool(std::move(options)));
  pool->self_ = pool;
  Status started;
  try {
    started = pool->Start();
  } catch (const std::bad_alloc&) {
    started = Status(MPROC_ERROR_OUT_OF_MEMORY);
  }
  if (started.ok()) return pool;
  pool->Destroy();
  return started;
}

Status Pool::Start() {
  core_.phase = Phase::kJoined;  // until there is something to end
  if (Status entered = EnterRuntime(&core_); !entered.ok()) return entered;
  core_.log.Open(this, core_.options.log);
  core_.output.Open(this, core_.options.output);
  core_.last_calls.Open(this, core_.options.worker.last_call);
  if (core_.log.wanted() || core_.output.wanted() || core_.last_calls.wanted()) {
    if (core_.options.callbacks == MPROC_CALLBACKS_NEXT) {
      return Status(MPROC_ERROR_INVALID_ARGUMENT,
                    "a pool that hands out what has ended calls no callback of log, output or finalizers");
    }
    if (Status made = EnsureCallbackThread(); !made.ok()) return made;
  }
  if (core_.options.table) core_.table = std::make_shared<const task::Table>(*core_.options.table);
  engine_ = std::make_shared<EngineSide>(core_.runtime);
  engine_->Open(
      core_.engine_bell.get(), [this] { drain_.EngineRung(); },
      [this](bool stirred) {
        bool go_on = supervisor_.Tick(stirred);
        drain_.Settle();
        progress_.Look();
        return go_on;
      },
      shared_from_this());
  core_.phase = Phase::kRunning;
  core_.runtime->AddMember(weak_from_this());
  return supervisor_.StartAll(&drain_, engine_, shared_from_this());
}

Status Pool::WaitReady(const Deadline& deadline) {
  bool ready = false;
  Status failure;
  ConditionOf condition([&] {
    ready = supervisor_.AllReady();
    failure = supervisor_.FirstFailure();
    return ready || !failure.ok() || core_.phase.load() != Phase::kRunning;
  });
  Status waited = drain_.Wait(condition, deadline);
  if (ready || !waited.ok()) return waited;
  if (!failure.ok()) return failure;
  return Status(MPROC_ERROR_NOT_RUNNING);
}

Status Pool::Resize(int32_t size) {
  {
    std::lock_guard lock(core_.mutex);
    if (Status fit = CheckRunning(); !fit.ok()) return fit;
    supervisor_.Resize(size);
  }
  core_.WakeEveryone();  // who waits for all workers
  drain_.Settle();
  return Status();
}

Status Pool::WhyNotRunning() {
  if (core_.broken) return Status(MPROC_ERROR_BROKEN, core_.broken_why.message());
  return Status(MPROC_ERROR_NOT_RUNNING);
}

Status Pool::MakeRoom(std::unique_lock<std::mutex>* lock, uint64_t bytes, const Deadline& deadline) {
  if (deadline.immediate()) {
    lock->unlock();
    drain_.Settle();  // room may be there already
    lock->lock();
    return dispatcher_.HasRoomFor(bytes) ? Status() : Status(MPROC_ERROR_QUEUE_FULL);
  }
  while (core_.phase.load() == Phase::kRunning && !core_.broken && !dispatcher_.HasRoomFor(bytes)) {
    lock->unlock();
    ConditionOf room([&] {
      std::lock_guard inner(core_.mutex);
      return core_.phase.load() != Phase::kRunning || core_.broken || dispatcher_.HasRoomFor(bytes);
    });
    Status waited = drain_.Wait(room, deadline);
    lock->lock();
    if (!waited.ok()) return waited;
  }
  return Status();
}

Future* Pool::NewRecord() {
  if (!free_) free_ = returned_.exchange(nullptr, std::memory_order_acquire);
  if (!free_) free_ = FutureSlab::Get().TakeBatch();
  Future* record = free_;
  if (!record) return nullptr;
  free_ = record->next;
  made_++;
  record->refs.store(1, std::memory_order_relaxed);
  record->state.store(0, std::memory_order_relaxed);
  record->pool = this;
  record->id = core_.next_task_id++;
  record->next = nullptr;
  record->extra = nullptr;
  record->size = 0;
  record->index = 0;
  record->worker_pid = 0;
  record->worker_number = 0;
  record->place = -1;
  record->kind = task::Kind::kSingle;
  record->input = Input::kInline;
  record->is_chunk = record->is_map = record->tombstone = record->governed = false;
  record->attempts = 0;
  record->stopped.store(MPROC_CAUSE_NONE, std::memory_order_relaxed);
  record->elapsed = 0;
  record->magic.store(kFutureMagic, std::memory_order_release);
  return record;
}

void Pool::FreeRecords(Future* first, Future* last, uint64_t count) {
  Future* top = returned_.load(std::memory_order_relaxed);
  do {
    last->next = top;
  } while (!returned_.compare_exchange_weak(top, first, std::memory_order_release));
  CountFreed(count);
}

void Pool::CountFreed(uint64_t count) {
  uint64_t freed = freed_.fetch_add(count) + count;
  if (freed != last_free_.load()) return;
  std::shared_ptr<Pool> last = std::move(self_);  // may free this pool at the end of the scope
}

void Pool::DropSelf() {
  {
    std::lock_guard lock(core_.mutex);
    last_free_.store(made_ + 1);
  }
  CountFreed(1);
}

std::unique_ptr<Extra> Pool::NewExtra(const Callbacks& callbacks, const Policy& policy) {
  auto extra = std::make_unique<Extra>();
  extra->callbacks = callbacks;
  extra->told = Tells(callbacks);
  if (policy.any() || callbacks.started) extra->policy = std::make_unique<const Policy>(policy);
  if (callbacks.started) {
    extra->begin = std::make_unique<BeginDue>(callbacks.started, callbacks.started_data);
  }
  if (callbacks.progress) {
    extra->progress = std::make_unique<ProgressDue>(callbacks.progress, callbacks.progress_data);
    progress_.Prepare();
  }
  return extra;
}

Future* Pool::NewTask(uint32_t function, const Callbacks& callbacks, const Policy& policy, bool wanted,
                      bool needs_extra) {
  // Before there is a record to lose.
  std::unique_ptr<Extra> extra;
  if (needs_extra || Tells(callbacks) || policy.any() || core_.options.timing == MPROC_TIMING_ALL) {
    extra = NewExtra(callbacks, policy);
  }
  dispatcher_.Prepare();
  Future* task = NewRecord();
  if (!task) return nullptr;
  task->function = function;
  core_.bounds.Begin(function);
  if (extra) {
    task->governed = extra->policy != nullptr;
    if (extra->progress) extra->progress->SetTask(task);
    if (extra->begin) extra->begin->SetTask(task);
    task->extra = extra.release();
  }
  if (wanted) {
    task->refs.store(2, std::memory_order_relaxed);
    task->state.store(kOneHandle, std::memory_order_relaxed);
  }
  return task;
}

void Pool::NoteSubmit(Future* task) {
  task->elapsed = NowNs();
  if (core_.options.timing == MPROC_TIMING_ALL) task->extra->submitted_at = task->elapsed;
}

Status Pool::Unmake(Future* task, Future** future, Status why) {
  if (future) {
    ReleaseHandle(task);
    *future = nullptr;
  }
  DropBound(task->function);
  Release(task);
  return why;
}

Status Pool::Submit(uint32_t function, Payload payload, const Deadline& deadline, const Callbacks& callbacks,
                    Future** future, const Policy& policy) {
  ByteView bytes = payload.bytes;
  if (bytes.size() > task::kLargestPayload) return Status(MPROC_ERROR_TOO_LARGE);
  if (Status good = CheckCallbacks(callbacks); !good.ok()) return good;
  std::unique_lock lock(core_.mutex);
  if (Status fit = CheckSubmit(function); !fit.ok()) return fit;
  if (!dispatcher_.HasRoomFor(bytes.size())) {
    if (Status room = MakeRoom(&lock, bytes.size(), deadline); !room.ok()) return room;
    if (Status fit = CheckSubmit(function); !fit.ok()) return fit;
  }
  if (policy.deadline) keeper_.Prepare();
  Future* task = NewTask(function, callbacks, policy, future != nullptr, payload.arrivals != nullptr);
  if (!task) return Status(MPROC_ERROR_OUT_OF_MEMORY);
  task->kind = payload.kind;
  task->index = payload.index;
  if (payload.arrivals) {
    task->extra->arrivals = std::move(payload.arrivals);
    task->extra->ticket = payload.ticket;
  }
  if (payload.holder) {
    task->kind = task::Kind::kBlock;
    HoldBytes(task, bytes, std::move(payload.holder));
  } else if (bytes.size() <= ipc::kInlineBytes || (policy.retries && !payload.borrowed)) {
    // What may be run again is kept here.
    if (!StoreBytes(task, bytes)) return Unmake(task, future, Status(MPROC_ERROR_OUT_OF_MEMORY));
  } else if (payload.borrowed) {
    HoldBytes(task, bytes, nullptr);
  } else {
    task->input = Input::kChannel;
    task->size = bytes.size();
  }
  // What can fail has to come before anybody may see the task; whoever is given it may answer at once.
  if (future) *future = task;
  if (core_.TimesSubmit(task->id)) NoteSubmit(task);
  core_.counters.submitted.store(core_.counters.submitted.load(std::memory_order_relaxed) + 1,
                                 std::memory_order_release);
  bool told = task->extra && task->extra->told;
  if (told) core_.callbacks_due.fetch_add(1, std::memory_order_seq_cst);
  if (policy.deadline) Retain(task);  // for the keeper: it may end and be gone at once
  if (callbacks.progress) Retain(task);
  if (Status sent = dispatcher_.Submit(task, bytes); !sent.ok()) {
    if (policy.deadline) Release(task);
    if (callbacks.progress) Release(task);
    core_.counters.submitted.fetch_sub(1);
    if (told) core_.callbacks_due.fetch_sub(1, std::memory_order_seq_cst);
    return Unmake(task, future, std::move(sent));
  }
  if (policy.deadline) keeper_.Submitted(task, policy.deadline);
  if (callbacks.progress) progress_.Add(task);
  bool drain = ++submits_ % kDrainEvery == 0;
  lock.unlock();
  AfterSubmit(drain);
  return Status();
}

void Pool::AfterSubmit(bool drain) {
  engine_->Tick();
  try {
    if (drain) {
      drain_.Settle();
    } else {
      drain_.SettleIfNeeded();
    }
  } catch (const std::bad_alloc&) {
    // The task is taken, whatever becomes of this nudge: the caller must not hear that it failed.
  }
}

Future* Pool::NewMap(uint32_t function, std::unique_ptr<MapState> map, const Callbacks& callbacks,
                     const Policy& policy, Future** future) {
  Future* task = NewTask(function, callbacks, policy, future != nullptr, true);
  if (!task) return nullptr;
  task->extra->map = std::move(map);
  task->is_map = true;
  if (core_.options.timing != MPROC_TIMING_OFF) NoteSubmit(task);
  if (future) *future = task;
  core_.counters.submitted.store(core_.counters.submitted.load(std::memory_order_relaxed) + 1,
                                 std::memory_order_release);
  if (task->extra->told) core_.callbacks_due.fetch_add(1, std::memory_order_seq_cst);
  return task;
}

Status Pool::Map(uint32_t function, const MapInput& input, const Callbacks& callbacks, Future** future,
                 const Policy& policy) {
  if (Status good = CheckCallbacks(callbacks); !good.ok()) return good;
  auto map = MapState::Create(input, static_cast<uint64_t>(size()));
  if (!map.ok()) return map.status();
  std::unique_lock lock(core_.mutex);
  if (Status fit = CheckSubmit(function); !fit.ok()) return fit;
  if (policy.deadline) keeper_.Prepare();
  Future* task = NewMap(function, std::move(*map), callbacks, policy, future);
  if (!task) return Status(MPROC_ERROR_OUT_OF_MEMORY);
  if (policy.deadline && input.count) Retain(task);
  if (callbacks.progress && input.count) Retain(task);
  if (input.count == 0) {
    End(task, task->extra->map->TakeEnding());
  } else {
    Status sent = dispatcher_.Submit(task);
    (void)sent;  // there is nothing to copy
    if (policy.deadline) keeper_.Submitted(task, policy.deadline);
    if (callbacks.progress) progress_.Add(task);
  }
  lock.unlock();
  AfterSubmit(false);
  return Status();
}

Status Pool::Cancel(Future* future) {
  bool withdrawn;
  {
    std::lock_guard lock(core_.mutex);
    withdrawn = dispatcher_.Withdraw(future, [] { return CancelledEnding(MPROC_CAUSE_CALL); });
  }
  return AfterCancel(withdrawn);
}

Status Pool::CancelRunning(Future* future, int64_t grace) {
  drain_.Settle();  // what has ended by now keeps its value
  bool stopped;
  {
    std::lock_guard lock(core_.mutex);
    stopped = future->outcome() == MPROC_OUTCOME_PENDING &&
              keeper_.Stop(future, grace, MPROC_OUTCOME_CANCELLED, MPROC_CAUSE_CALL);
  }
  return AfterCancel(stopped);
}

Status Pool::AfterCancel(bool any) {
  if (any && (core_.options.queue_tasks || core_.options.queue_bytes)) core_.WakeEveryone();  // room
  drain_.SettleIfNeeded();
  return any ? Status() : Status(MPROC_ERROR_ALREADY_STARTED);
}

Status Pool::BrokenWhy() {
  std::lock_guard lock(core_.mutex);
  return core_.broken ? core_.broken_why : Status();
}

int32_t Pool::EndCause() {
  std::lock_guard lock(core_.mutex);
  return core_.terminate_cause;
}

void Pool::AddOutsider(Waiter* waiter) {
  core_.waiters.Add(waiter);
  drain_.Settle();
}

void Pool::RemoveOutsider(Waiter* waiter) { core_.waiters.Remove(waiter); }

}  // namespace mproc::pool
