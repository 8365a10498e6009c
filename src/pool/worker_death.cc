// SPDX-License-Identifier: MIT
#include "pool/worker_death.hh"

#include "platform/crash_trace.hh"
#include "platform/signals.hh"
#include "pool/completion.hh"

namespace mproc::pool {
namespace {

std::unique_ptr<ErrorInfo> LostInfo(const Core& core, const WorkerSlot& worker, const Future& task,
                                    runtime::ChildExit exit, const std::string& trace) {
  auto info = std::make_unique<ErrorInfo>();
  info->signal = exit.signal;
  info->exit_code = exit.code;
  std::string how;
  if (worker.distrusted) {
    info->cause = MPROC_CAUSE_PROTOCOL;
    how = "was killed because it wrote nonsense into its channel";
  } else if (!exit.known) {
    info->cause = MPROC_CAUSE_LAUNCHER;
    how = "ended together with the launcher process, exit status unknown";
  } else if (exit.signal) {
    info->cause = MPROC_CAUSE_SIGNAL;
    how =
        "was ended by signal " + std::to_string(exit.signal) + " (" + platform::SignalName(exit.signal) + ")";
    if (exit.signal == SIGKILL) how += "; if nobody sent it, the system was out of memory";
  } else {
    info->cause = MPROC_CAUSE_EXIT;
    how = "exited with code " + std::to_string(exit.code);
  }
  const task::Function* function = core.table ? core.table->Find(task.function) : nullptr;
  info->error.code = MPROC_ERROR_WORKER_LOST;
  info->error.type = StatusName(MPROC_ERROR_WORKER_LOST);
  info->error.message = "worker " + std::to_string(worker.number) + " (" + worker.name + ", pid " +
                        std::to_string(worker.pid.load()) + ") " + how + " while it ran task " +
                        std::to_string(task.id) + ", function " + std::to_string(task.function) +
                        (function ? " '" + function->name + "'" : std::string());
  info->error.trace = trace;
  return info;
}

}  // namespace

bool BuryTasks(Core& core, Dispatcher& dispatcher, WorkerSlot* worker, runtime::ChildExit exit) {
  std::vector<Future*> back;
  bool lost = false;
  std::string trace;
  bool terminating = core.ending();
  if (!worker->distrusted && exit.signal) {
    trace = platform::FormatCrashTrace(worker->channel->trace(), ipc::kTraceBytes);
  }
  for (uint64_t at = worker->tail; at < worker->channel->head(); at++) {
    if (Future* task = worker->TakeBack(at)) {
      back.push_back(task);
      continue;
    }
    Future* task = worker->in_flight[at % ipc::kSlots].exchange(nullptr, std::memory_order_acq_rel);
    if (!task) continue;
    lost = true;
    if (terminating) {
      End(task, CancelledEnding(core.terminate_cause));
      continue;
    }
    Ending ending;
    ending.outcome = MPROC_OUTCOME_WORKER_LOST;
    task->worker_pid = worker->pid.load();
    ending.error = LostInfo(core, *worker, *task, exit, trace);
    End(task, std::move(ending));
  }
  if (terminating) {
    for (Future* task : back) End(task, CancelledEnding(core.terminate_cause));
  } else {
    dispatcher.Requeue(back);
  }
  return lost;
}

}  // namespace mproc::pool
