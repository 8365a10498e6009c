// SPDX-License-Identifier: MIT
#include "pool/supervisor.hh"

#include <algorithm>

#include "base/clock.hh"
#include "platform/cancellation.hh"
#include "platform/crash_trace.hh"
#include "platform/signals.hh"
#include "pool/completion.hh"
#include "pool/drain.hh"
#include "pool/timekeeper.hh"
#include "pool/worker_death.hh"

namespace mproc::pool {
namespace {

constexpr int kUnknownCode = 255;
constexpr int64_t kEndLimit = 10 * MPROC_SECOND;  // of a worker that was told to finish
constexpr int kTicksToTrim = 10;                  // a quiet second: memory kept for large payloads goes back
constexpr int kTicksToHear = 25;                  // by now the workers have given theirs back, too

std::string HowItEnded(const runtime::ChildExit& exit) {
  if (!exit.known) return "ended, exit status unknown,";
  return exit.signal ? "was ended by signal " + std::to_string(exit.signal)
                     : "exited with code " + std::to_string(exit.code);
}

}  // namespace

void Supervisor::Deliver(WorkerEvent event) {
  {
    std::lock_guard lock(inbox_mutex_);
    inbox_.push_back(std::move(event));
    core_.CallSupervisor();
  }
  drain_->Settle();
}

void Supervisor::Attend() {
  int64_t now = NowNs();
  staff_.Review(now);
  for (auto& worker : core_.workers) {
    if (worker->state == WorkerState::kEnding && worker->end_by <= now) {
      worker->end_by = INT64_MAX;
      Kill(worker.get());
    }
    if (worker->own && worker->state == WorkerState::kReady) dispatcher_.GiveOwn(worker.get());
    if (worker->seat != Seat::kLeaving) continue;
    if (worker->state == WorkerState::kStarting) Kill(worker.get());  // nothing to finish there
    if (worker->state == WorkerState::kReady && worker->held == 0 && !worker->own) Dismiss(worker.get());
  }
  StartMissing();
  alarm_.SetTo(staff_.NextLook(now));
}

void Supervisor::Dismiss(WorkerSlot* worker) {
  worker->state = WorkerState::kEnding;
  dispatcher_.WorkerGone(worker);
  OrderToFinish(worker);
  int64_t limit = core_.options.worker.terms.has_finalizer ? core_.options.terminate_grace : kEndLimit;
  worker->end_by = Later(NowNs(), limit);
  core_.CallSupervisor();  // for its time limit
}

void Supervisor::OrderToFinish(WorkerSlot* worker) {
  if (core_.last_calls.wanted()) {
    worker->last_call.Await();
    worker->unheard.store(true);
    engine_->Tick();  // it may find no room in its socket
  }
  worker->channel->SetOrder(ipc::kFinish);
}

void Supervisor::Come(int64_t when) {
  {
    std::lock_guard lock(core_.mutex);
    alarm_.Rang(when);
    core_.CallSupervisor();
  }
  drain_->Settle();
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
  worker->ready_at = worker->idle_since = NowNs();
  worker->initializer_ns = worker->channel->InitializerTime(worker->ready_at - worker->asked_at);
  if (staff_.AllReady()) first_failure_ = Status();  // mended
  failed_in_row_ = 0;
  core_.WakeEveryone();
}

void Supervisor::Kill(WorkerSlot* worker) {
  worker->state = WorkerState::kEnding;
  core_.children->Signal(worker->child, SIGKILL);
}

void Supervisor::Distrust(WorkerSlot* worker) {
  std::lock_guard lock(core_.mutex);
  worker->distrusted = true;
  dispatcher_.WorkerGone(worker);
  Kill(worker);
}

void Supervisor::OnExited(WorkerSlot* worker, const WorkerEvent& event) {
  const runtime::ChildExit& exit = event.exit;
  bool started = worker->state == WorkerState::kStarting;
  bool asked = worker->state == WorkerState::kEnding && !worker->distrusted;
  dispatcher_.WorkerGone(worker);
  if (worker->link) worker->link->Close();
  bool useful = BuryTasks(core_, dispatcher_, worker, exit) || worker->tasks_done > 0;
  if (!asked) {
    core_.counters.deaths.fetch_add(1, std::memory_order_relaxed);
    NoteDeath(*worker, exit);
  }
  if (started) {
    std::string trace = platform::FormatCrashTrace(worker->channel->trace(), ipc::kTraceBytes);
    OnFailedStart(worker,
                  Status(exit.known || core_.options.of_host() ? MPROC_ERROR_BROKEN : MPROC_ERROR_WORKER_LOST,
                         "it " + HowItEnded(exit) + " before it was ready" + event.AfterErrors() +
                             (trace.empty() ? "" : "\n" + trace)));
  }
  worker->Clear();
  // Workers that come up well and die without a task: not broken, but not to be started in a hurry either.
  useless_in_row_ = useful || asked || started ? 0 : useless_in_row_ + 1;
  if (useless_in_row_ >= kMostFailedStarts) StartLater(useless_in_row_);
  WithdrawIfNobodyServes();
}

void Supervisor::NoteDeath(const WorkerSlot& worker, const runtime::ChildExit& exit) {
  const WorkerOptions& options = core_.options.worker;
  if (!options.death_span) return;
  int64_t now = NowNs();
  std::erase_if(deaths_, [&](int64_t when) { return Later(when, options.death_span) < now; });
  deaths_.push_back(now);
  if (deaths_.size() <= static_cast<size_t>(options.deaths)) return;
  Break(Status(MPROC_ERROR_BROKEN, std::to_string(deaths_.size()) + " workers died within " +
                                       std::to_string(options.death_span / MPROC_MILLISECOND) +
                                       " ms; the last, worker " + worker.name + ", " + HowItEnded(exit)));
}

bool Supervisor::HandleInbox() {
  if (!core_.supervisor_due.load(std::memory_order_seq_cst)) return false;
  platform::CancellationOff no_cancel;  // deaths and starts read and write files
  {
    std::lock_guard lock(inbox_mutex_);
    events_.splice(events_.end(), inbox_);
    core_.supervisor_due.store(false, std::memory_order_seq_cst);
  }
  // An event is only done with when it was handled to its end: without memory it comes again.
  for (; !events_.empty(); events_.pop_front()) Handle(&events_.front());
  std::lock_guard lock(core_.mutex);
  Attend();
  return true;
}

void Supervisor::Handle(WorkerEvent* event) {
  if (event->place < 0) {
    std::lock_guard lock(core_.mutex);
    restart_due_ = false;
    return;
  }
  WorkerSlot* worker = core_.workers[static_cast<size_t>(event->place)].get();
  if (worker->number != event->number) return;  // of an earlier worker in this place
  // It served before the launcher could tell that it was started, and died with the launcher.
  if (event->kind == WorkerEvent::Kind::kStartFailed && worker->serving) {
    event->kind = WorkerEvent::Kind::kExited;
    event->exit = {false, kUnknownCode, 0};
  }
  if (event->kind == WorkerEvent::Kind::kExited) {
    drain_->ReadToEnd(worker);
    core_.last_calls.Tell(worker);
  }
  std::lock_guard lock(core_.mutex);
  switch (event->kind) {
    case WorkerEvent::Kind::kStarted:
      worker->pid = event->pid;
      break;
    case WorkerEvent::Kind::kHello:
      if (worker->pid == 0) worker->pid = event->pid;  // the launcher's report follows
      OnHello(worker, event->table);
      break;
    case WorkerEvent::Kind::kLate:
      if (worker->state != WorkerState::kStarting) break;
      event->why = Status(MPROC_ERROR_BROKEN,
                          "it did not report itself within the start limit" + event->AfterErrors());
      [[fallthrough]];
    case WorkerEvent::Kind::kRefused:
      if (worker->state == WorkerState::kStarting) {
        Kill(worker);
        OnFailedStart(worker, Status(event->why.code(), event->why.message() + event->AfterErrors(),
                                     event->why.os_code()));
      }
      break;
    case WorkerEvent::Kind::kStartFailed:
      OnFailedStart(worker, event->why);
      dispatcher_.WorkerGone(worker);
      if (worker->link) worker->link->Close();
      worker->Clear();
      break;
    case WorkerEvent::Kind::kExited:
      OnExited(worker, *event);
      break;
  }
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
      Dismiss(worker.get());
    }
  }
  if (left || core_.live() > 0) return;
  core_.phase.store(Phase::kJoined, std::memory_order_seq_cst);
  engine_->Close();
  keeper_.Close();
  alarm_.Close();
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
      OrderToFinish(worker.get());
    }
    if (starting || !wait) {
      core_.children->Signal(worker->child, SIGKILL);
      continue;
    }
    if (busy) core_.children->Signal(worker->child, SIGTERM);
    engine_->After(core_.options.terminate_grace, [this, keep = pool_reference_, child = worker->child] {
      core_.children->Signal(child, SIGKILL);
    });
  }
}

bool Supervisor::Tick(bool stirred) {
  std::lock_guard lock(core_.mutex);
  bool busy = !dispatcher_.queue_empty(), untold = false;
  for (auto& worker : core_.workers) {
    busy |= worker->held > 0 || worker->last_call.awaited();
    stirred |= worker->heard.exchange(false, std::memory_order_relaxed);  // it may have more to say
    if (!worker->channel) continue;
    worker->known_blocks.Forget(&*worker->channel, worker->socket.get());
    if (worker->channel->TellDropped(worker->socket.get())) continue;
    untold = true;
    worker->channel->WakeWorker();  // it reads its socket then
  }
  quiet_ticks_ = busy || stirred ? 0 : quiet_ticks_ + 1;
  bool late = !keeper_.Retry();
  late |= !alarm_.Retry();
  if (busy) dispatcher_.RescueStuck();
  if (core_.options.worker.terms.memory) staff_.Measure();
  if (quiet_ticks_ == kTicksToTrim) {
    for (auto& worker : core_.workers) {
      if (worker->channel && worker->held == 0) worker->channel->Trim(worker->socket.get());
    }
  }
  if (quiet_ticks_ == kTicksToHear) {
    for (auto& worker : core_.workers) worker->unheard.store(true, std::memory_order_relaxed);
  }
  return untold || late || quiet_ticks_ <= kTicksToHear;  // one more, to see what was heard
}

Status Supervisor::FirstFailure() {
  std::lock_guard lock(core_.mutex);
  return core_.broken ? core_.broken_why : first_failure_;
}

bool Supervisor::AllReady() {
  std::lock_guard lock(core_.mutex);
  return staff_.AllReady();
}

size_t Supervisor::ReadyWorkers() const {
  auto ready = [](auto& worker) { return worker->state == WorkerState::kReady; };
  return static_cast<size_t>(std::ranges::count_if(core_.workers, ready));
}

}  // namespace mproc::pool
