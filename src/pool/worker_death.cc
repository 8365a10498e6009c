// SPDX-License-Identifier: MIT
#include "pool/worker_death.hh"

#include "base/clock.hh"
#include "platform/crash_trace.hh"
#include "platform/signals.hh"
#include "pool/completion.hh"

namespace mproc::pool {
namespace {

std::string Milliseconds(int64_t nanoseconds) {
  return std::to_string(nanoseconds / MPROC_MILLISECOND) + " ms";
}

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

// Of the task that the worker was killed for.
std::unique_ptr<ErrorInfo> StoppedInfo(const WorkerSlot& worker, const Future& task, int64_t elapsed) {
  auto info = std::make_unique<ErrorInfo>();
  bool late = worker.doomed->outcome == MPROC_OUTCOME_TIMED_OUT;
  info->cause = worker.doomed->cause;
  info->error.code = late ? MPROC_ERROR_TASK_TIMED_OUT : MPROC_ERROR_CANCELLED;
  info->error.type = StatusName(info->error.code);
  std::string why = !late ? "was cancelled while it ran"
                    : worker.doomed->cause == MPROC_CAUSE_DEADLINE
                        ? "was not done at its deadline"
                        : "was over its time limit of " + Milliseconds(worker.doomed->limit);
  info->error.message = "task " + std::to_string(task.id) + ", function " + std::to_string(task.function) +
                        ", " + why + "; it ran for " + Milliseconds(elapsed) + ", and worker " +
                        std::to_string(worker.number) + " (pid " + std::to_string(worker.pid.load()) +
                        ") was killed";
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
    task->worker_pid = worker->pid.load();
    uint64_t begun = 0;
    int64_t begun_at = 0, now = NowNs();
    if (worker->channel->LastBegun(&begun, &begun_at) && begun == at && begun_at > 0 && begun_at <= now) {
      ending.elapsed = now - begun_at;
    }
    if (worker->doomed && worker->doomed->position == at) {
      ending.outcome = worker->doomed->outcome;
      if (worker->doomed->begun) ending.elapsed = now - worker->doomed->begun;
      ending.error = StoppedInfo(*worker, *task, ending.elapsed);
    } else if (task->stopped.load(std::memory_order_relaxed) == MPROC_CAUSE_CALL) {
      ending = CancelledEnding(MPROC_CAUSE_CALL);
    } else {
      ending.outcome = MPROC_OUTCOME_WORKER_LOST;
      ending.error = LostInfo(core, *worker, *task, exit, trace);
    }
    if (task->governed && !task->stopped.load(std::memory_order_relaxed) &&
        task->policy().Retries(ending.outcome, task->attempts)) {
      dispatcher.RunAgain(task);
    } else {
      End(task, std::move(ending));
    }
  }
  if (terminating) {
    for (Future* task : back) End(task, CancelledEnding(core.terminate_cause));
  } else {
    dispatcher.Requeue(back);
  }
  return lost;
}

}  // namespace mproc::pool
