// SPDX-License-Identifier: MIT
#include "pool/dispatcher.hh"

#include <algorithm>
#include <cerrno>
#include <new>

#include "base/clock.hh"
#include "base/room.hh"
#include "platform/signals.hh"
#include "pool/map.hh"
#include "pool/pool.hh"
#include "pool/timekeeper.hh"

namespace mproc::pool {
namespace {

constexpr uint64_t kWorthWaking = 25'000;  // ns that a wake-up costs

}  // namespace

void Dispatcher::Prepare() { MakeRoom(&lanes_); }

bool Dispatcher::HasRoomFor(uint64_t bytes) const {
  const Options& options = core_.options;
  if (queue_empty()) return true;
  if (options.queue_tasks && queued_ >= options.queue_tasks) return false;
  return !options.queue_bytes || queued_bytes_ + bytes <= options.queue_bytes;
}

void Dispatcher::Link(Future* task) {
  int32_t priority = task->priority();
  auto lane = lanes_.begin();
  while (lane != lanes_.end() && lane->priority > priority) ++lane;
  if (lane == lanes_.end() || lane->priority != priority) {
    Future* before = lane == lanes_.begin() ? nullptr : std::prev(lane)->last;
    lane = lanes_.insert(lane, {priority, before});
  }
  Future*& link = lane->last ? lane->last->next : first_;
  task->next = link;
  link = task;
  lane->last = task;
}

void Dispatcher::Enqueue(Future* task) {
  Link(task);
  task->place = -1;
  if (task->is_map) Retain(task);  // for the queue: chunks of it may all have ended before it leaves
  queued_ += task->is_map ? task->extra->map->chunks_left() : 1;
  queued_bytes_ += task->size;
  if (core_.understaffed) core_.CallSupervisor();
}

Future* Dispatcher::NewChunk(Future* map) {
  Future* chunk = pool_->NewRecord();
  if (!chunk) return nullptr;
  if (!map->extra->map->NextChunk(chunk)) {
    Release(chunk);
    return nullptr;
  }
  chunk->function = map->function;
  chunk->is_chunk = true;
  chunk->parent = map;
  chunk->governed = map->governed;
  return chunk;
}

Future* Dispatcher::Next() {
  while (!queue_empty()) {
    if (!returned_.empty() && (!first_ || returned_.front()->priority() >= first_->priority())) {
      Future* task = returned_.PopFront();
      queued_--;
      queued_bytes_ -= task->size;
      return task;
    }
    Future* task = first_;
    if (task->is_map && !task->tombstone && !task->extra->map->exhausted()) {
      MapState& map = *task->extra->map;
      uint64_t before = map.chunks_left();
      Future* chunk = NewChunk(task);  // without memory tried again with the next result
      queued_ -= before - map.chunks_left();
      return chunk;
    }
    first_ = task->next;
    if (lanes_.front().last == task) lanes_.erase(lanes_.begin());
    if (task->is_map || task->tombstone) {
      Release(task);  // the queue's reference
      continue;
    }
    queued_--;
    queued_bytes_ -= task->size;
    return task;
  }
  return nullptr;
}

void Dispatcher::ListIdle(WorkerSlot* worker) {
  if (worker->held != 0 || worker->state != WorkerState::kReady) return;
  if (worker->seat == Seat::kLeaving || worker->IsSpent()) return core_.CallSupervisor();
  if (core_.options.worker.idle) worker->idle_since = NowNs();
  if (worker->listed_idle) return;
  idle_.push_back(worker);
  worker->listed_idle = true;
}

WorkerSlot* Dispatcher::PopIdle(uint64_t bytes) {
  while (!idle_.empty()) {
    WorkerSlot* worker = idle_.back();
    idle_.pop_back();
    worker->listed_idle = false;
    if (worker->held == 0 && worker->CanTake(bytes)) return worker;
  }
  return nullptr;
}

bool Dispatcher::HasIdle() {
  while (!idle_.empty()) {
    WorkerSlot* worker = idle_.back();
    if (worker->held == 0 && worker->CanTake(0)) return true;
    worker->listed_idle = false;
    idle_.pop_back();
  }
  return false;
}

WorkerSlot* Dispatcher::Choose(const Future& task) {
  uint64_t bytes = task.size;
  if (task.priority() != 0) return PopIdle(bytes);
  if (current_ && current_->held > 0 && current_->CanTake(bytes) && !current_->HasWorkFor(kWorthWaking)) {
    return current_;
  }
  if (WorkerSlot* idle = PopIdle(bytes)) return idle;
  WorkerSlot* least = nullptr;
  for (auto& worker : core_.workers) {
    if (worker->CanTake(bytes) && (!least || worker->held < least->held)) least = worker.get();
  }
  return least;
}

bool Dispatcher::Give(WorkerSlot* worker, Future* task, ByteView bytes) {
  // Once given, it may end and be gone.
  int64_t limit = task->governed ? task->policy().time_limit : 0;
  int64_t grace = limit ? task->policy().grace : 0;
  if (Status given = Hand(worker, task, bytes, limit); !given.ok()) return Refused(worker, task, given);
  if (worker->held == 1 && worker != poller_) {
    if (poller_ && poller_->channel) poller_->channel->SetMayPoll(false);
    poller_ = worker;
    worker->channel->SetMayPoll(true);
  }
  if (current_ != worker) core_.given_last.store(worker->place, std::memory_order_relaxed);
  current_ = worker;
  if (limit) keeper_->Given(worker, limit, grace);
  worker->channel->WakeWorker();
  if (worker->quota != WorkerOptions::kUnlimited && !worker->nears_end && worker->NearsEnd()) {
    worker->nears_end = true;
    core_.CallSupervisor();
  }
  if (core_.understaffed && worker->held > 1 && worker->WaitEstimate() >= kWorthStarting)
    core_.CallSupervisor();
  return true;
}

Status Dispatcher::Hand(WorkerSlot* worker, Future* task, ByteView bytes, int64_t limit) try {
  if (limit) keeper_->PrepareFor(worker);
  return task::IsBound(task->function) ? worker->GiveBound(task, bytes, core_.bounds)
                                       : worker->Give(task, bytes);
} catch (const std::bad_alloc&) {
  return Status(MPROC_ERROR_OUT_OF_MEMORY);
}

bool Dispatcher::Refused(WorkerSlot* worker, Future* task, const Status& why) try {
  if (why.os_code() == EPIPE || why.os_code() == ECONNRESET) {
    // It has closed its socket: no large payload would ever reach it.
    WorkerGone(worker);
    worker->state = WorkerState::kEnding;
    core_.children->Signal(worker->child, SIGKILL);
    return false;
  }
  if (worker->held > 0) return false;
  ListIdle(worker);
  if (why.code() == MPROC_ERROR_QUEUE_FULL) return false;
  // Nothing is under way that would free anything: waiting would be for ever.
  End(task, NotRunEnding(why.code(), "the payload could not be handed to a worker: " + why.message(),
                         MPROC_CAUSE_NONE));
  return true;
} catch (const std::bad_alloc&) {
  core_.CallSupervisor();  // tried again with its next look
  return false;
}

Status Dispatcher::Submit(Future* task, ByteView bytes) {
  bool ranked = task->governed && task->priority() != 0;
  if (ranked && task->priority() > 0 && !HasIdle()) RelieveAll();
  if (queue_empty() && !task->is_map) {
    if (WorkerSlot* worker = Choose(*task)) {
      if (Give(worker, task, bytes)) return Status();
    }
  }
  if (task->input == Input::kChannel && !StoreBytes(task, bytes)) {
    return Status(MPROC_ERROR_OUT_OF_MEMORY, "not enough memory to copy the payload");
  }
  Enqueue(task);
  if (task->is_map || ranked) Fill();
  PublishHint();
  return Status();
}

void Dispatcher::Fill() try { FillAll(); } catch (const std::bad_alloc&) {
  core_.CallSupervisor();  // goes on with its next look
}

void Dispatcher::FillAll() {
  while (Future* task = Next()) {
    WorkerSlot* worker = Choose(*task);
    if (worker && Give(worker, task)) continue;
    PutBack(task);
    PublishHint();
    return;
  }
  PublishHint();
  Balance();
}

void Dispatcher::PutBack(Future* task) {
  returned_.PushFront(task);
  queued_++;
  queued_bytes_ += task->size;
}

void Dispatcher::Requeue(std::span<Future* const> tasks) {
  Future* last = nullptr;
  for (Future* task : tasks) {
    if (LoseIfOwn(task)) continue;
    task->place = -1;
    returned_.Insert(task, last && ReturnedTasks::GoesBefore(*last, *task) ? last : nullptr);
    last = task;
    queued_++;
    queued_bytes_ += task->size;
  }
}

uint64_t Dispatcher::OldestQueued(const WorkerSlot& worker) const {
  if (!worker.channel || worker.held == 0) return UINT64_MAX;
  for (uint64_t position = worker.tail; position < worker.channel->head(); position++) {
    if (worker.channel->IsQueued(position) && !worker.IsOwn(position)) return position;
  }
  return UINT64_MAX;
}

void Dispatcher::Balance() {
  while (queue_empty() && HasIdle()) {
    WorkerSlot* victim = nullptr;
    uint64_t position = UINT64_MAX, oldest = UINT64_MAX;
    for (auto& worker : core_.workers) {
      if (worker->held < 2 || worker->WaitEstimate() < 2 * kWorthWaking) continue;
      uint64_t at = OldestQueued(*worker);
      if (at == UINT64_MAX) continue;
      Future* task = worker->in_flight[at % ipc::kSlots].load(std::memory_order_acquire);
      if (task && task->id < oldest) {
        victim = worker.get();
        position = at;
        oldest = task->id;
      }
    }
    if (!victim) return;
    Future* task = victim->TakeBack(position);
    if (!task) continue;  // begun just now
    core_.counters.taken_back.fetch_add(1, std::memory_order_relaxed);
    WorkerSlot* worker = PopIdle(task->size);
    if (worker && Give(worker, task)) continue;
    Requeue({&task, 1});
    return;
  }
}

void Dispatcher::Relieve(WorkerSlot* worker) {
  std::vector<Future*> back;
  back.reserve(worker->held);
  bool all = worker->channel->AsksToLeave();
  for (uint64_t at = worker->tail; at < worker->channel->head(); at++) {
    if (!all && worker->IsOwn(at)) continue;
    if (Future* task = worker->TakeBack(at)) back.push_back(task);
  }
  core_.counters.taken_back.fetch_add(back.size(), std::memory_order_relaxed);
  Requeue(back);
  ListIdle(worker);
}

void Dispatcher::RelieveAll() try {
  for (auto& worker : core_.workers) {
    if (worker->channel) Relieve(worker.get());
  }
} catch (const std::bad_alloc&) {
  // It only comes a little later then.
}

void Dispatcher::RescueStuck() {
  for (auto& worker : core_.workers) {
    bool moved = worker->progress != worker->tail;
    worker->progress = worker->tail;
    if (moved) worker->stuck = false;
    if (moved || worker->held == 0 || !worker->channel) continue;
    // None of its tasks has ended since the last look: it is stopped, or runs a long one. What lies behind
    // that must not wait for it, and nothing more is put there.
    worker->stuck = true;
    worker->unheard.store(true, std::memory_order_relaxed);
    Relieve(worker.get());
  }
  Fill();
}

void Dispatcher::RunAgain(Future* task) {
  if (uint8_t cause = task->whole()->stopped.load(std::memory_order_relaxed)) {
    bool late = cause == MPROC_CAUSE_DEADLINE;
    return End(task, StoppedEnding(late ? MPROC_OUTCOME_TIMED_OUT : MPROC_OUTCOME_CANCELLED, cause));
  }
  int64_t wait = task->policy().BackOff(task->attempts++);
  core_.counters.retried.fetch_add(1, std::memory_order_relaxed);
  task->place = -1;
  if (wait <= 0) return Requeue({&task, 1});
  int64_t until = NowNs() + wait;
  try {
    delayed_.push_back({until, task});
  } catch (const std::bad_alloc&) {
    return Requeue({&task, 1});  // without a pause, then
  }
  queued_++;
  keeper_->ComeAt(until);
}

int64_t Dispatcher::ReturnDelayed(int64_t now) {
  std::vector<Future*> due;
  int64_t next = INT64_MAX;
  std::erase_if(delayed_, [&](const Delayed& one) {
    if (one.until > now) {
      next = std::min(next, one.until);
      return false;
    }
    due.push_back(one.task);
    queued_--;
    return true;
  });
  Requeue(due);
  return next;
}

void Dispatcher::WorkerReady(WorkerSlot* worker) { ListIdle(worker); }

void Dispatcher::WorkerGone(WorkerSlot* worker) {
  std::erase(idle_, worker);
  worker->listed_idle = false;
  if (current_ == worker) current_ = nullptr;
  if (poller_ == worker) poller_ = nullptr;
  LoseOwn(worker);
}

void Dispatcher::Progress(WorkerSlot* worker) {
  worker->stuck = false;
  if (worker->own) GiveOwn(worker);
  ListIdle(worker);
}

}  // namespace mproc::pool
