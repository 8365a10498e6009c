// SPDX-License-Identifier: MIT
// The part of the supervisor that starts workers, and what it does when that fails.
#include <algorithm>
#include <new>

#include "base/clock.hh"
#include "platform/memory_file.hh"
#include "platform/signals.hh"
#include "pool/drain.hh"
#include "pool/supervisor.hh"
#include "pool/timekeeper.hh"
#include "start/launch.hh"

namespace mproc::pool {
namespace {

constexpr int64_t kFirstBackOff = 10'000'000;
constexpr int64_t kLongestBackOff = 1'000'000'000;

// A start that failed for such a reason fails the same way next time.
bool IsHopeless(int32_t status) {
  return status == MPROC_ERROR_BAD_MODULE || status == MPROC_ERROR_TABLE_MISMATCH ||
         status == MPROC_ERROR_NOT_SERVED || status == MPROC_ERROR_UNSUPPORTED;
}

}  // namespace

Status Supervisor::StartAll(Drain* drain, std::shared_ptr<EngineSide> engine,
                            std::shared_ptr<void> pool_reference) {
  drain_ = drain;
  engine_ = std::move(engine);
  pool_reference_ = std::move(pool_reference);
  keeper_.Open(engine_, pool_reference_);
  alarm_.Open(engine_, pool_reference_, [this](int64_t when) { Come(when); });
  auto plan = PlanWorkers(core_.options, core_.runtime->worker_program());
  if (!plan.ok()) return plan.status();
  plan_ = std::move(*plan);
  Status started;
  while (!core_.drain_lock.try_lock()) {
  }
  {
    std::unique_lock drains(core_.drain_lock, std::adopt_lock);
    std::lock_guard lock(core_.mutex);
    staff_.Resize(core_.options.workers);
    for (int32_t i = 0; i < core_.options.workers && started.ok(); i++) {
      started = StartWorker(core_.workers.FindFree());
    }
  }
  if (core_.options.start_method == MPROC_START_FORK) core_.runtime->forked().WaitForked();
  drain_->Settle();  // the first workers may have reported themselves already
  return started;
}

Status Supervisor::StartWorker(WorkerSlot* worker) try {
  worker->Clear();
  worker->asked_at = NowNs();
  uint32_t number = next_number_++;
  worker->name = NameOfWorker(core_.options, number);
  worker->cpu = staff_.ChooseCpu(NowNs());
  auto connection = start::Connect(core_.options.polling);
  if (!connection.ok()) return connection.status();
  std::shared_ptr<WorkerOutput> output;
  if (core_.output.wanted()) {
    output = std::make_shared<WorkerOutput>(core_.output, core_.runtime, number);
    if (Status made = output->Make(); !made.ok()) return made;
  }
  Status sent = SendSetup(connection->socket.get(), core_, plan_, number, *worker, connection->memory.get(),
                          output.get());
  if (!sent.ok()) return sent;
  platform::GuardedFd errors;
  if (plan_.own_error) {
    platform::NoForks no_forks;
    auto file = platform::MakeMemoryFile("mproc-errors", {});
    if (!file.ok()) return file.status();
    errors = platform::GuardedFd(std::move(*file));
  }
  auto link = std::make_shared<start::ChildLink>(
      core_.runtime, std::move(connection->listener),
      [this, keep = pool_reference_, place = worker->place, number](start::ChildEvent event) {
        Deliver({std::move(event), place, number});
      });
  auto request = start::MakeRequest(core_.options, plan_, core_.runtime, *connection, core_.leader_bell.get(),
                                    core_.engine_bell.get());
  if (!request.ok()) return request.status();
  request->error_fd = errors.get();
  if (errors.valid()) link->SetErrors(std::move(errors));
  if (core_.log.wanted()) connection->channel.log().SetLevel(core_.options.log.level);
  worker->number = number;
  worker->quota = core_.options.worker.tasks;
  worker->state = WorkerState::kStarting;
  auto child = core_.children->Start(*request, link);
  if (!child.ok()) {
    worker->Clear();
    return child.status();
  }
  worker->child = *child;
  worker->SetChannel(std::move(connection->channel), engine_);
  worker->socket = std::move(connection->socket);
  worker->link = link;
  if (output) output->Open(pool_reference_);
  worker->output = std::move(output);
  link->Open(core_.options.start_limit);
  core_.counters.starts.fetch_add(1, std::memory_order_relaxed);
  return Status();
} catch (const std::bad_alloc&) {
  if (worker->child) core_.children->Signal(worker->child, SIGKILL);
  worker->Clear();
  return Status(MPROC_ERROR_OUT_OF_MEMORY);
}

void Supervisor::StartMissing() {
  if (core_.broken || restart_due_) return;
  for (int64_t missing = staff_.Missing(NowNs()); missing > 0; missing--) {
    if (Status started = StartWorker(core_.workers.FindFree()); !started.ok()) {
      OnFailedStart(nullptr, started);
      return;
    }
  }
}

void Supervisor::OnFailedStart(WorkerSlot* worker, const Status& why) {
  std::string who = worker ? "worker " + worker->name : std::string("a worker");
  Status told(why.code(), who + " could not start: " + why.message(), why.os_code());
  // What the launcher took along was no bad start: the next one tells, or the pool breaks.
  if (first_failure_.ok() && why.code() != MPROC_ERROR_WORKER_LOST) first_failure_ = told;
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
  int64_t delay = kFirstBackOff;
  for (int i = 1; i < failures && delay < kLongestBackOff; i++) delay = std::min(delay * 2, kLongestBackOff);
  engine_->After(delay, [this, keep = pool_reference_] {
    WorkerEvent event;
    event.kind = WorkerEvent::Kind::kStarted;  // of no worker: lets the drainer start what is missing
    Deliver(std::move(event));
  });
  restart_due_ = true;
}

}  // namespace mproc::pool
