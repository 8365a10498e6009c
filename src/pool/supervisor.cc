// SPDX-License-Identifier: MIT
#include "pool/supervisor.hh"

#include <algorithm>

#include "platform/cancellation.hh"
#include "platform/crash_trace.hh"
#include "platform/signals.hh"
#include "pool/completion.hh"
#include "pool/drain.hh"
#include "pool/timekeeper.hh"
#include "pool/worker_death.hh"

namespace mproc::pool {
namespace {

constexpr int kMostFailedStarts = 5;
constexpr int kTicksToTrim = 10;  // a quiet second: memory kept for large payloads goes back
constexpr int kTicksToHear = 25;  // by now the workers have given theirs back, too
constexpr int64_t kFirstBackOff = 10'000'000;
constexpr int64_t kLongestBackOff = 1'000'000'000;

// A start that failed for such a reason fails the same way next time.
bool IsHopeless(int32_t status) {
  return status == MPROC_ERROR_BAD_MODULE || status == MPROC_ERROR_TABLE_MISMATCH ||
         status == MPROC_ERROR_NOT_SERVED;
}

}  // namespace

Status Supervisor::StartAll(Drain* drain, std::shared_ptr<EngineSide> engine,
                            std::shared_ptr<void> pool_reference) {
  drain_ = drain;
  engine_ = std::move(engine);
  pool_reference_ = std::move(pool_reference);
  keeper_.Open(engine_, pool_reference_);
  auto plan = PlanWorkerStart(core_.options, core_.runtime->worker_program());
  if (!plan.ok()) return plan.status();
  plan_ = std::move(*plan);
  Status started;
  while (!core_.drain_lock.try_lock()) {
  }
  {
    std::lock_guard lock(core_.mutex);
    for (auto& worker : core_.workers) {
      started = StartWorker(worker.get());
      if (!started.ok()) break;
    }
  }
  core_.drain_lock.unlock();
  drain_->Settle();  // the first workers may have reported themselves already
  return started;
}

void Supervisor::Deliver(WorkerEvent event) {
  {
    std::lock_guard lock(inbox_mutex_);
    inbox_.push_back(std::move(event));
    inbox_filled_.store(true, std::memory_order_seq_cst);
  }
  drain_->Notify();
}

Status Supervisor::StartWorker(WorkerSlot* worker) {
  worker->Clear();
  uint32_t number = next_number_++;
  std::string prefix =
      core_.options.name == "Pool" ? "SpawnPoolWorker-" : core_.options.name + "-SpawnPoolWorker-";
  worker->name = prefix + std::to_string(number);
  auto channel = ipc::HostChannel::Create(static_cast<uint32_t>(core_.options.polling));
  if (!channel.ok()) return channel.status();
  auto ends = platform::MakeSocketPair();
  if (!ends.ok()) return ends.status();
  auto listener = platform::DuplicateFd(ends->first.get());
  if (!listener.ok()) return listener.status();
  Status sent = SendSetup(ends->first.get(), core_.options, plan_, number, worker->name,
                          {channel->memory_fd(), core_.leader_bell.get(), core_.engine_bell.get()});
  if (!sent.ok()) return sent;
  channel->CloseMemoryFd();
  auto link = std::make_shared<WorkerLink>(
      core_.runtime, worker->place, number, std::move(*listener),
      [this, keep = pool_reference_](WorkerEvent event) { Deliver(std::move(event)); });
  runtime::StartRequest request;
  request.program = plan_.program;
  request.arguments = plan_.arguments;
  request.extra_environment = plan_.environment;
  request.channel_fd = ends->second.get();
  worker->number = number;
  worker->state = WorkerState::kStarting;
  auto child = core_.runtime->launcher().Start(request, link);
  if (!child.ok()) {
    worker->Clear();
    return child.status();
  }
  worker->child = *child;
  worker->SetChannel(std::move(*channel), engine_);
  worker->socket = runtime::GuardedFd(std::move(ends->first));
  worker->link = link;
  link->Open(core_.options.start_limit);
  core_.counters.starts.fetch_add(1, std::memory_order_relaxed);
  return Status();
}

void Supervisor::StartMissing() {
  Phase phase = core_.phase.load();
  bool needed = phase == Phase::kRunning || (phase == Phase::kClosing && core_.live() > 0);
  if (!needed || core_.broken || restart_due_) return;
  for (auto& worker : core_.workers) {
    if (worker->state != WorkerState::kNone) continue;
    if (Status started = StartWorker(worker.get()); !started.ok()) {
      OnFailedStart(nullptr, started);
      return;
    }
  }
}

void Supervisor::Break(const Status& why) {
  if (core_.broken) return;
  core_.broken = true;
  core_.broken_why = why;
  WithdrawIfNobodyServes();
  core_.WakeEveryone();
}

void Supervisor::WithdrawIfNobodyServes() {
  if (!core_.broken || ReadyWorkers() > 0) return;
  const Status& why = core_.broken_why;
  dispatcher_.WithdrawAll([&] { return NotRunEnding(why.code(), why.message(), MPROC_CAUSE_BROKEN); });
}

void Supervisor::OnFailedStart(WorkerSlot* worker, const Status& why) {
  std::string who = worker ? "worker " + worker->name : std::string("a worker");
  Status told(why.code(), who + " could not start: " + why.message(), why.os_code());
  if (first_failure_.ok()) first_failure_ = told;
  failed_in_row_++;
  core_.WakeEveryone();
  if (IsHopeless(why.code()) || failed_in_row_ >= kMostFailedStarts) {
    return Break(Status(IsHopeless(why.code()) ? why.code() : MPROC_ERROR_BROKEN,
                        IsHopeless(why.code()) ? told.message()
                                               : std::to_string(failed_in_row_) +
                                                     " starts in a row failed; the last: " + told.message(),
                        why.os_code()));
  }
  StartLater(failed_in_row_);
}

void Supervisor::StartLater(int failures) {
  if (restart_due_) return;
  restart_due_ = true;
  int64_t delay = kFirstBackOff;
  for (int i = 1; i < failures && delay < kLongestBackOff; i++) delay = std::min(delay * 2, kLongestBackOff);
  engine_->After(delay, [this, keep = pool_reference_] {
    WorkerEvent event;
    event.kind = WorkerEvent::Kind::kStarted;
    event.place = -1;  // of no worker: only lets the drainer start what is missing
    Deliver(std::move(event));
  });
}

void Supervisor::OnHello(WorkerSlot* worker, std::shared_ptr<const task::Table> table) {
  if (!core_.table) core_.table = table;
  if (core_.table->Fingerprint() != table->Fingerprint()) {
    Kill(worker);
    OnFailedStart(worker,
                  Status(MPROC_ERROR_TABLE_MISMATCH, "its function table (" + std::to_string(table->size()) +
                                                         " functions) is not the one the pool expects (" +
                                                         std::to_string(core_.table->size()) +
                                                         " functions): ids and names must be equal"));
    return;
  }
  if (worker->state != WorkerState::kStarting) return;  // it was told to end meanwhile
  worker->state = WorkerState::kReady;
  worker->serving = true;
  if (ReadyWorkers() == core_.workers.size()) first_failure_ = Status();  // mended
  failed_in_row_ = 0;
  dispatcher_.WorkerReady(worker);
  core_.WakeEveryone();
}

void Supervisor::Kill(WorkerSlot* worker) {
  worker->state = WorkerState::kEnding;
  core_.runtime->launcher().Signal(worker->child, SIGKILL);
}

void Supervisor::Distrust(WorkerSlot* worker) {
  worker->distrusted = true;
  std::lock_guard lock(core_.mutex);
  dispatcher_.WorkerGone(worker);
  Kill(worker);
}

void Supervisor::OnExited(WorkerSlot* worker, runtime::ChildExit exit) {
  bool started = worker->state == WorkerState::kStarting;
  bool asked = worker->state == WorkerState::kEnding && !worker->distrusted;
  dispatcher_.WorkerGone(worker);
  if (worker->link) worker->link->Close();
  bool useful = BuryTasks(core_, dispatcher_, worker, exit) || worker->tasks_done > 0;
  if (!asked) core_.counters.deaths.fetch_add(1, std::memory_order_relaxed);
  if (started) {
    std::string how = exit.signal ? "it was ended by signal " + std::to_string(exit.signal)
                                  : "it exited with code " + std::to_string(exit.code);
    std::string trace = platform::FormatCrashTrace(worker->channel->trace(), ipc::kTraceBytes);
    OnFailedStart(worker, Status(MPROC_ERROR_BROKEN,
                                 how + " before it was ready" + (trace.empty() ? "" : "\n" + trace)));
  }
  worker->Clear();
  // Workers that come up well and die without a task: not broken, but not to be started in a hurry either.
  useless_in_row_ = useful || asked || started ? 0 : useless_in_row_ + 1;
  if (useless_in_row_ >= kMostFailedStarts) StartLater(useless_in_row_);
  WithdrawIfNobodyServes();
}

bool Supervisor::HandleInbox() {
  if (!InboxFilled()) return false;
  platform::CancellationOff no_cancel;  // deaths and starts read and write files
  std::vector<WorkerEvent> events;
  {
    std::lock_guard lock(inbox_mutex_);
    events.swap(inbox_);
    inbox_filled_.store(false, std::memory_order_seq_cst);
  }
  for (WorkerEvent& event : events) {
    if (event.place < 0) {
      std::lock_guard lock(core_.mutex);
      restart_due_ = false;
      continue;
    }
    WorkerSlot* worker = core_.workers[static_cast<size_t>(event.place)].get();
    if (worker->number != event.number) continue;  // of an earlier worker in this place
    if (event.kind == WorkerEvent::Kind::kExited) drain_->ReadToEnd(worker);
    std::lock_guard lock(core_.mutex);
    switch (event.kind) {
      case WorkerEvent::Kind::kStarted:
        worker->pid = event.pid;
        break;
      case WorkerEvent::Kind::kHello:
        if (worker->pid == 0) worker->pid = event.pid;  // the launcher's report follows
        OnHello(worker, std::move(event.table));
        break;
      case WorkerEvent::Kind::kLate:
        if (worker->state != WorkerState::kStarting) break;
        event.why = Status(MPROC_ERROR_BROKEN, "it did not report itself within the start limit");
        [[fallthrough]];
      case WorkerEvent::Kind::kRefused:
        if (worker->state == WorkerState::kStarting) {
          Kill(worker);
          OnFailedStart(worker, event.why);
        }
        break;
      case WorkerEvent::Kind::kStartFailed:
        OnFailedStart(worker, event.why);
        if (worker->link) worker->link->Close();
        worker->Clear();
        break;
      case WorkerEvent::Kind::kExited:
        OnExited(worker, event.exit);
        break;
    }
  }
  std::lock_guard lock(core_.mutex);
  StartMissing();
  return true;
}

void Supervisor::Advance() {
  Phase phase = core_.phase.load();
  if (phase == Phase::kRunning || phase == Phase::kJoined) return;
  if (phase == Phase::kClosing && core_.live() > 0) return;
  bool left = false;
  for (auto& worker : core_.workers) {
    if (worker->state == WorkerState::kNone) continue;
    left = true;
    worker->unheard.store(true, std::memory_order_relaxed);  // whatever it says, it is not kept from its end
    if (worker->state == WorkerState::kEnding || phase != Phase::kClosing) continue;
    if (worker->state == WorkerState::kStarting) {
      Kill(worker.get());  // nothing to finish there
    } else {
      worker->state = WorkerState::kEnding;
      dispatcher_.WorkerGone(worker.get());
      worker->channel->SetOrder(ipc::kFinish);
    }
  }
  if (left || core_.live() > 0) return;
  core_.phase.store(Phase::kJoined, std::memory_order_seq_cst);
  engine_->Close();
  keeper_.Close();
  pool_reference_.reset();
  core_.WakeEveryone();
}

void Supervisor::EndWorkers() {
  bool wait = core_.options.terminate_grace > 0;
  for (auto& worker : core_.workers) {
    if (worker->state == WorkerState::kNone) continue;
    bool busy = worker->held > 0;
    bool starting = worker->state == WorkerState::kStarting;
    dispatcher_.WorkerGone(worker.get());
    worker->state = WorkerState::kEnding;
    if (worker->channel) {
      worker->channel->CancelEveryTask();
      worker->channel->SetOrder(ipc::kFinish);
    }
    if (starting || !wait) {
      core_.runtime->launcher().Signal(worker->child, SIGKILL);
      continue;
    }
    if (busy) core_.runtime->launcher().Signal(worker->child, SIGTERM);
    engine_->After(core_.options.terminate_grace, [this, keep = pool_reference_, child = worker->child] {
      core_.runtime->launcher().Signal(child, SIGKILL);
    });
  }
}

bool Supervisor::Tick(bool stirred) {
  std::lock_guard lock(core_.mutex);
  bool busy = !dispatcher_.queue_empty(), untold = false;
  for (auto& worker : core_.workers) {
    busy |= worker->held > 0;
    stirred |= worker->heard.exchange(false, std::memory_order_relaxed);  // it may have more to say
    if (!worker->channel) continue;
    worker->known_blocks.Forget(&*worker->channel, worker->socket.get());
    if (worker->channel->TellDropped(worker->socket.get())) continue;
    untold = true;
    worker->channel->WakeWorker();  // it reads its socket then
  }
  quiet_ticks_ = busy || stirred ? 0 : quiet_ticks_ + 1;
  if (busy) dispatcher_.RescueStuck();
  if (quiet_ticks_ == kTicksToTrim) {
    for (auto& worker : core_.workers) {
      if (worker->channel && worker->held == 0) worker->channel->Trim(worker->socket.get());
    }
  }
  if (quiet_ticks_ == kTicksToHear) {
    for (auto& worker : core_.workers) worker->unheard.store(true, std::memory_order_relaxed);
  }
  return untold || quiet_ticks_ <= kTicksToHear;  // one more, to see what was heard
}

Status Supervisor::FirstFailure() {
  std::lock_guard lock(core_.mutex);
  return core_.broken ? core_.broken_why : first_failure_;
}

bool Supervisor::AllReady() {
  std::lock_guard lock(core_.mutex);
  return ReadyWorkers() == core_.workers.size();
}

size_t Supervisor::ReadyWorkers() const {
  auto ready = [](auto& worker) { return worker->state == WorkerState::kReady; };
  return static_cast<size_t>(std::ranges::count_if(core_.workers, ready));
}

}  // namespace mproc::pool
