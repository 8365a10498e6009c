// SPDX-License-Identifier: MIT
#include "pool/worker_death.hh"

#include <new>

#include "base/clock.hh"
#include "platform/crash_trace.hh"
#include "platform/signals.hh"
#include "pool/begin_due.hh"
#include "pool/completion.hh"
#include "pool/last_steps.hh"

namespace mproc::pool {
namespace {

constexpr size_t kLastSteps = 8;  // told of a dead worker

std::string Milliseconds(int64_t nanoseconds) {
  return std::to_string(nanoseconds / MPROC_MILLISECOND) + " ms";
}

// What the limits of its process may have to do with a worker's end.
std::string LimitHint(const task::WorkerTerms& terms, int signal) {
  if (terms.cpu_seconds && (signal == SIGXCPU || signal == SIGKILL)) {
    return "; its CPU time is limited to " + std::to_string(terms.cpu_seconds) + " s";
  }
  if (terms.address_space && (signal == SIGSEGV || signal == SIGABRT || signal == SIGBUS)) {
    return "; its memory is limited to " + std::to_string(terms.address_space) + " bytes";
  }
  return "";
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
  } else if (!exit.known && core.options.of_host()) {
    info->cause = MPROC_CAUSE_EXIT;
    how = "ended, exit status unknown (the host took it by a wait of its own, or ignores SIGCHLD)";
  } else if (!exit.known) {
    info->cause = MPROC_CAUSE_LAUNCHER;
    how = "ended together with the launcher process, exit status unknown";
  } else if (exit.signal) {
    info->cause = MPROC_CAUSE_SIGNAL;
    how =
        "was ended by signal " + std::to_string(exit.signal) + " (" + platform::SignalName(exit.signal) + ")";
    if (exit.signal == SIGKILL) how += "; if nobody sent it, the system was out of memory";
    how += LimitHint(core.options.worker.terms, exit.signal);
  } else {
    info->cause = MPROC_CAUSE_EXIT;
    how = "exited with code " + std::to_string(exit.code);
  }
  info->error.code = MPROC_ERROR_WORKER_LOST;
  info->error.type = StatusName(MPROC_ERROR_WORKER_LOST);
  info->error.message = "worker " + std::to_string(worker.number) + " (" + worker.name + ", pid " +
                        std::to_string(worker.pid.load()) + ") " + how + " while it ran task " +
                        std::to_string(task.id) + ", " + DescribeFunction(core, task.function);
  info->error.trace = trace;
  if (std::string steps = LastSteps(core, worker.channel->flight(), NowNs(), kLastSteps);
      !worker.distrusted && !steps.empty()) {
    info->error.trace += "the last steps of worker " + std::to_string(worker.number) + ":\n" + steps;
  }
  return info;
}

// What `tell` makes; null without memory: a task ends even so.
template <typename Tell>
std::unique_ptr<ErrorInfo> IfPossible(Tell&& tell) try {
  return tell();
} catch (const std::bad_alloc&) {
  return nullptr;
}

// Of the task that the worker was killed for.
std::unique_ptr<ErrorInfo> StoppedInfo(const Core& core, const WorkerSlot& worker, const Future& task,
                                       int64_t elapsed) {
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
                        ") was " +
                        (core.options.start_method == MPROC_START_THREADS
                             ? "let go: its thread goes on until the function returns"
                             : "killed");
  return info;
}

}  // namespace

bool BuryTasks(Core& core, Dispatcher& dispatcher, WorkerSlot* worker, runtime::ChildExit exit) {
  std::vector<Future*> back;
  back.reserve(worker->held);
  bool lost = false;
  std::string trace;
  bool terminating = core.ending();
  if (!exit.known) {  // but it may have left word
    auto crash = platform::ParseCrashTrace(worker->channel->trace(), ipc::kTraceBytes);
    if (crash) exit = {true, 0, crash->signal};
  }
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
    BeginDue::Note(task, *worker);
    core.log.BeforeEnd(worker, at, task);
    core.output.BeforeEnd(worker, task);
    if (terminating) {
      End(task, CancelledEnding(core.terminate_cause));
      continue;
    }
    Ending ending;
    task->worker_pid = worker->pid.load();
    int64_t now = NowNs();
    ipc::Run last;
    if (worker->channel->flight().Last(&last) && last.position == at && last.begun_at > 0 &&
        last.begun_at <= now) {
      ending.elapsed = now - last.begun_at;
      if (core.options.timing == MPROC_TIMING_ALL) ending.begun_at = last.begun_at;
    }
    if (worker->doomed && worker->doomed->position == at) {
      ending.outcome = worker->doomed->outcome;
      if (worker->doomed->begun) ending.elapsed = now - worker->doomed->begun;
      ending.error = IfPossible([&] { return StoppedInfo(core, *worker, *task, ending.elapsed); });
    } else if (task->cancelled_running()) {
      ending = CancelledEnding(MPROC_CAUSE_CALL);
    } else {
      ending.outcome = MPROC_OUTCOME_WORKER_LOST;
      ending.error = IfPossible([&] { return LostInfo(core, *worker, *task, exit, trace); });
    }
    if (core.slowest.Wants(ending.elapsed)) core.slowest.Note(*worker, *task, core.bounds, ending.elapsed);
    if (task->RunsAgainAfter(ending.outcome)) {
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
