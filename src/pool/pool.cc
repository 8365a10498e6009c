// SPDX-License-Identifier: MIT
#include "pool/pool.hh"

#include <mproc/pool.h>

#include <algorithm>
#include <new>

#include "platform/cpu.hh"
#include "platform/fork_mark.hh"
#include "platform/process_state.hh"
#include "pool/callbacks.hh"
#include "pool/completion.hh"
#include "pool/future_slab.hh"

namespace mproc::pool {
namespace {

constexpr int64_t kEndLimit = 5 * MPROC_SECOND;  // beyond the grace time: SIGKILL takes no longer
constexpr uint32_t kDrainEvery = 64;             // submits, so that results do not pile up

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
  Status started = pool->Start();
  if (started.ok()) return pool;
  pool->Destroy();
  return started;
}

Status Pool::Start() {
  core_.phase = Phase::kJoined;  // until there is something to end
  auto runtime = runtime::Runtime::Acquire(core_.options.worker_program);
  if (!runtime.ok()) return runtime.status();
  core_.runtime = std::move(*runtime);
  auto leader = platform::MakeEventFd();
  if (!leader.ok()) return leader.status();
  auto engine = platform::MakeEventFd();
  if (!engine.ok()) return engine.status();
  core_.leader_bell = runtime::GuardedFd(std::move(*leader));
  core_.engine_bell = runtime::GuardedFd(std::move(*engine));
  if (core_.options.table) core_.table = std::make_shared<const task::Table>(*core_.options.table);
  for (int32_t i = 0; i < core_.options.workers; i++) {
    core_.workers.push_back(std::make_unique<WorkerSlot>());
    core_.workers.back()->place = i;
  }
  engine_ = std::make_shared<EngineSide>(core_.runtime);
  engine_->Open(
      core_.engine_bell.get(), [this] { drain_.EngineRung(); },
      [this](bool stirred) {
        bool go_on = supervisor_.Tick(stirred);
        drain_.Settle();
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

Status Pool::CheckSubmit(uint32_t function) {
  if (core_.broken) return Status(MPROC_ERROR_BROKEN, core_.broken_why.message());
  if (core_.phase.load(std::memory_order_relaxed) != Phase::kRunning) return Status(MPROC_ERROR_NOT_RUNNING);
  if (core_.table && !core_.table->Find(function)) {
    return Status(MPROC_ERROR_UNKNOWN_FUNCTION,
                  "the pool's function table has no function of id " + std::to_string(function));
  }
  return Status();
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

void Pool::FreeRecord(Future* record) {
  record->magic.store(0, std::memory_order_release);
  Future* top = returned_.load(std::memory_order_relaxed);
  do {
    record->next = top;
  } while (!returned_.compare_exchange_weak(top, record, std::memory_order_release));
  CountFreed();
}

void Pool::CountFreed() {
  uint64_t freed = freed_.fetch_add(1) + 1;
  if (freed != last_free_.load()) return;
  std::shared_ptr<Pool> last = std::move(self_);  // may free this pool at the end of the scope
}

void Pool::DropSelf() {
  {
    std::lock_guard lock(core_.mutex);
    last_free_.store(made_ + 1);
  }
  CountFreed();
}

Future* Pool::NewTask(uint32_t function, const Callbacks& callbacks, const Policy& policy, bool wanted) {
  // Before there is a record to lose.
  auto extra = Tells(callbacks) || policy.any() ? std::make_unique<Extra>() : nullptr;
  if (policy.any()) extra->policy = std::make_unique<const Policy>(policy);
  Future* task = NewRecord();
  if (!task) return nullptr;
  task->function = function;
  if (extra) {
    extra->callbacks = callbacks;
    extra->told = Tells(callbacks);
    task->extra = extra.release();
    task->governed = policy.any();
  }
  if (wanted) {
    task->refs.store(2, std::memory_order_relaxed);
    task->state.store(kOneHandle, std::memory_order_relaxed);
  }
  return task;
}

Status Pool::Unmake(Future* task, Future** future, Status why) {
  if (future) {
    ReleaseHandle(task);
    *future = nullptr;
  }
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
  Future* task = NewTask(function, callbacks, policy, future != nullptr);
  if (!task) return Status(MPROC_ERROR_OUT_OF_MEMORY);
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
  core_.counters.submitted.store(core_.counters.submitted.load(std::memory_order_relaxed) + 1,
                                 std::memory_order_release);
  if (Tells(callbacks)) core_.callbacks_due.fetch_add(1, std::memory_order_seq_cst);
  if (policy.deadline) Retain(task);  // for the keeper: it may end and be gone at once
  if (Status sent = dispatcher_.Submit(task, bytes); !sent.ok()) {
    if (policy.deadline) Release(task);
    core_.counters.submitted.fetch_sub(1);
    if (Tells(callbacks)) core_.callbacks_due.fetch_sub(1, std::memory_order_seq_cst);
    return Unmake(task, future, std::move(sent));
  }
  if (policy.deadline) keeper_.Submitted(task, policy.deadline);
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

Status Pool::Map(uint32_t function, const MapInput& input, const Callbacks& callbacks, Future** future,
                 const Policy& policy) {
  if (Status good = CheckCallbacks(callbacks); !good.ok()) return good;
  auto map = MapState::Create(input, core_.workers.size());
  if (!map.ok()) return map.status();
  std::unique_lock lock(core_.mutex);
  if (Status fit = CheckSubmit(function); !fit.ok()) return fit;
  if (policy.deadline) keeper_.Prepare();
  Future* task = NewTask(function, callbacks, policy, future != nullptr);
  if (!task) return Status(MPROC_ERROR_OUT_OF_MEMORY);
  if (!task->extra) task->extra = new Extra();
  task->extra->map = std::move(*map);
  task->is_map = true;
  if (future) *future = task;
  core_.counters.submitted.store(core_.counters.submitted.load(std::memory_order_relaxed) + 1,
                                 std::memory_order_release);
  if (Tells(callbacks)) core_.callbacks_due.fetch_add(1, std::memory_order_seq_cst);
  if (policy.deadline && input.count) Retain(task);
  if (input.count == 0) {
    End(task, task->extra->map->TakeEnding());
  } else {
    Status sent = dispatcher_.Submit(task);
    (void)sent;  // there is nothing to copy
    if (policy.deadline) keeper_.Submitted(task, policy.deadline);
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

void Pool::Close() {
  {
    std::lock_guard lock(core_.mutex);
    if (core_.phase.load() == Phase::kRunning) core_.phase.store(Phase::kClosing);
  }
  core_.WakeEveryone();
  drain_.Settle();
}

void Pool::Terminate(int32_t cause) {
  drain_.Settle();  // what has ended by now keeps its value
  {
    std::lock_guard lock(core_.mutex);
    if (core_.phase.load() >= Phase::kTerminating) return;
    core_.terminate_cause = cause;
    core_.phase.store(Phase::kTerminating);
    dispatcher_.WithdrawAll([cause] { return CancelledEnding(cause); });
    supervisor_.EndWorkers();
  }
  core_.WakeEveryone();
  drain_.Settle();
}

Status Pool::Join(const Deadline& deadline) {
  if (core_.phase.load() == Phase::kRunning) return Status(MPROC_ERROR_STILL_RUNNING);
  if (InsideCallbackOf(this)) return Status(MPROC_ERROR_WOULD_BLOCK_ITSELF);
  ConditionOf joined([this] { return Joined(); });
  return drain_.Wait(joined, deadline);
}

bool Pool::WaitEnded(const Deadline& deadline) {
  ConditionOf joined([this] { return core_.phase.load() == Phase::kJoined; });
  for (;;) {
    Status waited = drain_.Wait(joined, deadline);
    if (waited.code() != MPROC_ERROR_INTERRUPTED) return waited.ok();
  }
}

void Pool::Destroy() {
  Terminate(MPROC_CAUSE_DESTROY);
  if (InsideCallbackOf(this)) {
    destroy_later_.store(true, std::memory_order_seq_cst);  // by the thread that runs the callback
  } else {
    FinishDestroy();
  }
}

void Pool::FinishDestroy() {
  auto self = shared_from_this();
  int64_t grace = std::clamp<int64_t>(core_.options.terminate_grace, 0, MPROC_FOREVER - kEndLimit);
  WaitEnded(Deadline::After(grace + kEndLimit));
  if (!CallbacksDelayReady()) {
    while (Future* task = callbacks_.Pop(false)) RunCallback(task);
  }
  callbacks_.Stop();
  {
    std::lock_guard lock(thread_mutex_);
    if (callback_thread_.started()) callback_thread_.Join();
  }
  DropSelf();
}

Result<uint32_t> Pool::FindFunction(const std::string& name) {
  std::lock_guard lock(core_.mutex);
  if (!core_.table) {
    return Status(MPROC_ERROR_NOT_READY, "the table is not known before the first worker is ready");
  }
  if (const task::Function* function = core_.table->FindByName(name)) return function->id;
  return Status(MPROC_ERROR_UNKNOWN_FUNCTION, "the pool's function table has no function '" + name + "'");
}

PoolStatistics Pool::Statistics() {
  drain_.Settle();
  std::lock_guard lock(core_.mutex);
  PoolStatistics statistics{dispatcher_.queued(), dispatcher_.queued_bytes(), 0, 0};
  for (auto& worker : core_.workers) {
    if (worker->state == WorkerState::kReady) statistics.workers++;
    if (!worker->channel) continue;
    uint64_t waiting = 0;
    for (uint64_t at = worker->tail; at < worker->channel->head(); at++) {
      waiting += worker->channel->IsQueued(at) ? 1 : 0;
    }
    waiting = std::min<uint64_t>(waiting, worker->held);
    statistics.queued += waiting;
    statistics.running += worker->held - waiting;
  }
  return statistics;
}

WorkerInfo Pool::InfoOf(int32_t place) {
  drain_.Settle();
  std::lock_guard lock(core_.mutex);
  const WorkerSlot& worker = *core_.workers[static_cast<size_t>(place)];
  WorkerInfo info{worker.pid.load(), worker.number, MPROC_WORKER_STATE_NONE,
                  static_cast<int64_t>(worker.tasks_done.load()), worker.held};
  switch (worker.state) {
    case WorkerState::kNone:
      break;
    case WorkerState::kStarting:
      info.state = MPROC_WORKER_STATE_STARTING;
      break;
    case WorkerState::kReady:
      info.state = worker.held ? MPROC_WORKER_STATE_BUSY : MPROC_WORKER_STATE_IDLE;
      break;
    case WorkerState::kEnding:
      info.state = MPROC_WORKER_STATE_ENDING;
      break;
  }
  if (info.pid && platform::IsStopped(worker.pid.load())) info.state = MPROC_WORKER_STATE_STOPPED;
  return info;
}

Status Pool::BrokenWhy() {
  std::lock_guard lock(core_.mutex);
  return core_.broken ? core_.broken_why : Status();
}

void Pool::AddOutsider(Waiter* waiter) {
  core_.waiters.Add(waiter);
  drain_.Settle();
}

void Pool::RemoveOutsider(Waiter* waiter) { core_.waiters.Remove(waiter); }

}  // namespace mproc::pool
