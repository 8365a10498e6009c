// SPDX-License-Identifier: MIT
#include "pool/timekeeper.hh"

#include <algorithm>

#include "base/clock.hh"
#include "base/room.hh"
#include "platform/signals.hh"
#include "pool/completion.hh"
#include "pool/dispatcher.hh"
#include "pool/drain.hh"

namespace mproc::pool {
namespace {

constexpr int64_t kShortestLook = 1'000'000;
constexpr int64_t kLongestLook = 1'000'000'000;
constexpr int64_t kReadAgain = 10'000'000;

// When to look for the start of a task at the latest.
int64_t LookFor(const WatchedTask& task) {
  return std::clamp(Later(task.limit, task.grace) / 2, kShortestLook, kLongestLook);
}

}  // namespace

void Timekeeper::Open(std::shared_ptr<EngineSide> engine, std::shared_ptr<void> keep) {
  alarm_.Open(std::move(engine), std::move(keep), [this](int64_t when) { Look(when); });
}

void Timekeeper::Close() {
  for (Due& due : deadlines_) Release(due.task);
  deadlines_.clear();
  alarm_.Close();
}

void Timekeeper::PrepareFor(WorkerSlot* worker) { MakeRoom(&worker->watched); }

void Timekeeper::Given(WorkerSlot* worker, int64_t limit, int64_t grace) {
  WatchedTask task;
  task.position = worker->channel->head() - 1;
  task.given = NowNs();
  task.limit = limit;
  task.grace = grace;
  worker->watched.push_back(task);
  alarm_.SetTo(Later(task.given, LookFor(task)));
}

void Timekeeper::Prepare() { MakeRoom(&deadlines_); }

void Timekeeper::Submitted(Future* task, int64_t deadline) {
  deadlines_.push_back({Later(NowNs(), deadline), task});
  next_deadline_ = std::min(next_deadline_, deadlines_.back().when);
  alarm_.SetTo(next_deadline_);
}

void Timekeeper::Look(int64_t when) {
  {
    std::lock_guard lock(core_.mutex);
    if (!alarm_.open()) return;
    int64_t now = NowNs();
    alarm_.Rang(when);
    int64_t next = LookAtDeadlines(now);
    for (auto& worker : core_.workers) next = std::min(next, LookAtWorker(worker.get(), now));
    next = std::min(next, dispatcher_.ReturnDelayed(now));
    dispatcher_.Fill();
    alarm_.SetTo(next);
  }
  drain_.Settle();
}

int64_t Timekeeper::LookAtDeadlines(int64_t now) {
  if (now < next_deadline_) return next_deadline_;
  next_deadline_ = INT64_MAX;
  std::erase_if(deadlines_, [&](const Due& due) {
    if (due.task->outcome() == MPROC_OUTCOME_PENDING && due.when <= now) {
      Stop(due.task, due.task->policy().grace, MPROC_OUTCOME_TIMED_OUT, MPROC_CAUSE_DEADLINE);
    } else if (due.task->outcome() == MPROC_OUTCOME_PENDING) {
      next_deadline_ = std::min(next_deadline_, due.when);
      return false;
    }
    Release(due.task);
    return true;
  });
  // What has ended is not kept for long.
  if (!deadlines_.empty()) next_deadline_ = std::min(next_deadline_, Later(now, kLongestLook));
  return next_deadline_;
}

int64_t Timekeeper::LookAtWorker(WorkerSlot* worker, int64_t now) {
  if (worker->watched.empty()) return INT64_MAX;
  if (!worker->channel || worker->state != WorkerState::kReady) return INT64_MAX;
  int64_t next = INT64_MAX;
  ipc::Run last;
  bool begun = worker->channel->flight().Last(&last);
  std::erase_if(worker->watched, [&](WatchedTask& task) {
    if (!worker->Holds(task.position)) return true;
    if (!task.kill_at && !worker->channel->IsQueued(task.position)) {
      // A time that cannot be is not believed.
      bool told =
          begun && last.position == task.position && last.begun_at >= task.given && last.begun_at <= now;
      task.begun = told ? last.begun_at : now;
      task.kill_at = Later(task.begun, Later(task.limit, task.grace));
    }
    if (task.kill_at && task.kill_at <= now && Kill(worker, &task, now)) return true;
    next = std::min(next, task.kill_at ? task.kill_at : Later(now, LookFor(task)));
    return false;
  });
  return next;
}

bool Timekeeper::Kill(WorkerSlot* worker, WatchedTask* task, int64_t now) {
  if (worker->state != WorkerState::kReady) return true;
  std::vector<Future*> back;
  back.reserve(worker->held);
  bool later = false;
  for (uint64_t at = worker->tail; at < worker->channel->head(); at++) {
    if (at == task->position) continue;
    if (Future* other = worker->TakeBack(at)) {
      back.push_back(other);
    } else {
      later |= at > task->position && worker->Holds(at);
    }
  }
  dispatcher_.Requeue(back);
  if (!worker->Holds(task->position)) return true;
  if (later && !task->read_again) {
    task->read_again = true;
    task->kill_at = Later(now, kReadAgain);
    return false;
  }
  worker->doomed = *task;
  dispatcher_.WorkerGone(worker);
  worker->state = WorkerState::kEnding;
  core_.children->Signal(worker->child, SIGKILL);
  return true;
}

void Timekeeper::StopRunning(WorkerSlot* worker, uint64_t position, int64_t kill_at, int32_t outcome,
                             int32_t cause) {
  auto& watched = worker->watched;
  auto at = std::ranges::find(watched, position, &WatchedTask::position);
  if (at == watched.end()) {
    at = watched.insert(watched.end(), WatchedTask{});
    at->position = position;
    at->given = NowNs();
  }
  at->kill_at = at->kill_at ? std::min(at->kill_at, kill_at) : kill_at;
  at->outcome = outcome;
  at->cause = cause;
  worker->channel->CancelTask(position);
  alarm_.SetTo(at->kill_at);
}

bool Timekeeper::Stop(Future* task, int64_t grace, int32_t outcome, int32_t cause) {
  bool any = dispatcher_.Withdraw(task, [&] { return StoppedEnding(outcome, cause); });
  if (task->outcome() != MPROC_OUTCOME_PENDING) return any;
  // It runs, or is on its way from a worker's result to its end or to a next attempt.
  task->stopped.store(static_cast<uint8_t>(cause), std::memory_order_relaxed);
  int64_t kill_at = Later(NowNs(), std::max<int64_t>(grace, 0));
  for (auto& worker : core_.workers) {
    if (!worker->channel || worker->held == 0) continue;
    for (uint64_t at = worker->tail; at < worker->channel->head(); at++) {
      Future* one = worker->in_flight[at % ipc::kSlots].load(std::memory_order_acquire);
      if (!one || (one != task && (!one->is_chunk || one->parent != task))) continue;
      one->stopped.store(static_cast<uint8_t>(cause), std::memory_order_relaxed);
      StopRunning(worker.get(), at, kill_at, outcome, cause);
    }
  }
  return true;
}

}  // namespace mproc::pool
