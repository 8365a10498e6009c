// SPDX-License-Identifier: MIT
#include "pool/dispatcher.hh"

#include <algorithm>
#include <cerrno>

#include "base/clock.hh"
#include "platform/signals.hh"
#include "pool/map.hh"
#include "pool/pool.hh"
#include "pool/timekeeper.hh"

namespace mproc::pool {
namespace {

constexpr uint64_t kWorthWaking = 25'000;  // ns that a wake-up costs

}  // namespace

bool Dispatcher::HasRoomFor(uint64_t bytes) const {
  const Options& options = core_.options;
  if (queue_empty()) return true;
  if (options.queue_tasks && queued_ >= options.queue_tasks) return false;
  return !options.queue_bytes || queued_bytes_ + bytes <= options.queue_bytes;
}

void Dispatcher::Enqueue(Future* task) {
  task->next = nullptr;
  task->place = -1;
  (last_ ? last_->next : first_) = task;
  last_ = task;
  if (task->is_map) Retain(task);  // for the queue: chunks of it may all have ended before it leaves
  queued_ += task->is_map ? task->extra->map->chunks_left() : 1;
  queued_bytes_ += task->size;
}

Future* Dispatcher::Next() {
  if (!returned_.empty()) {
    Future* task = returned_.front();
    returned_.pop_front();
    queued_--;
    queued_bytes_ -= task->size;
    return task;
  }
  while (Future* task = first_) {
    if (task->is_map && !task->tombstone && !task->extra->map->exhausted()) {
      Future* chunk = pool_->NewRecord();
      if (!chunk) return nullptr;  // tried again with the next result
      task->extra->map->NextChunk(chunk);
      chunk->function = task->function;
      chunk->is_chunk = true;
      chunk->parent = task;
      chunk->governed = task->governed;
      queued_--;
      return chunk;
    }
    first_ = task->next;
    if (!first_) last_ = nullptr;
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
  if (worker->listed_idle || worker->held != 0 || worker->state != WorkerState::kReady) return;
  worker->listed_idle = true;
  idle_.push_back(worker);
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

WorkerSlot* Dispatcher::Choose(uint64_t bytes) {
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
  Policy limits;
  bool limited = task->governed;
  if (limited) limits = task->policy();
  Status given = worker->Give(task, bytes);
  if (!given.ok()) {
    if (given.os_code() == EPIPE || given.os_code() == ECONNRESET) {
      // It has closed its socket: no large payload would ever reach it.
      WorkerGone(worker);
      worker->state = WorkerState::kEnding;
      core_.runtime->launcher().Signal(worker->child, SIGKILL);
      return false;
    }
    if (worker->held == 0) {
      ListIdle(worker);
      if (given.code() != MPROC_ERROR_QUEUE_FULL) {
        // Nothing is under way that would free anything: waiting would be for ever.
        End(task,
            NotRunEnding(given.code(), "the payload could not be handed to a worker: " + given.message(),
                         MPROC_CAUSE_NONE));
        return true;
      }
    }
    return false;
  }
  if (worker->held == 1 && worker != poller_) {
    if (poller_ && poller_->channel) poller_->channel->SetMayPoll(false);
    poller_ = worker;
    worker->channel->SetMayPoll(true);
  }
  if (current_ != worker) core_.given_last.store(worker->place, std::memory_order_relaxed);
  current_ = worker;
  if (limited) keeper_->Given(worker, limits);
  worker->channel->WakeWorker();
  return true;
}

Status Dispatcher::Submit(Future* task, ByteView bytes) {
  if (queue_empty() && !task->is_map) {
    if (WorkerSlot* worker = Choose(task->size)) {
      if (Give(worker, task, bytes)) return Status();
    }
  }
  if (task->input == Input::kChannel && !StoreBytes(task, bytes)) {
    return Status(MPROC_ERROR_OUT_OF_MEMORY, "not enough memory to copy the payload");
  }
  Enqueue(task);
  if (task->is_map) Fill();
  PublishHint();
  return Status();
}

void Dispatcher::Fill() {
  while (Future* task = Next()) {
    WorkerSlot* worker = Choose(task->size);
    if (worker && Give(worker, task)) continue;
    returned_.push_front(task);
    queued_++;
    queued_bytes_ += task->size;
    PublishHint();
    return;
  }
  PublishHint();
  Balance();
}

void Dispatcher::Requeue(const std::vector<Future*>& tasks) {
  for (Future* task : tasks) {
    task->place = -1;
    auto at = std::lower_bound(returned_.begin(), returned_.end(), task,
                               [](const Future* one, const Future* other) { return one->id < other->id; });
    returned_.insert(at, task);
    queued_++;
    queued_bytes_ += task->size;
  }
}

uint64_t Dispatcher::OldestQueued(const WorkerSlot& worker) const {
  if (!worker.channel || worker.held == 0) return UINT64_MAX;
  for (uint64_t position = worker.tail; position < worker.channel->head(); position++) {
    if (worker.channel->IsQueued(position)) return position;
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
    Requeue({task});
    return;
  }
}

void Dispatcher::RescueStuck() {
  std::vector<Future*> back;
  for (auto& worker : core_.workers) {
    bool moved = worker->progress != worker->tail;
    worker->progress = worker->tail;
    if (moved) worker->stuck = false;
    if (moved || worker->held == 0 || !worker->channel) continue;
    // None of its tasks has ended since the last look: it is stopped, or runs a long one. What lies behind
    // that must not wait for it, and nothing more is put there.
    worker->stuck = true;
    worker->unheard.store(true, std::memory_order_relaxed);
    for (uint64_t at = worker->tail; at < worker->channel->head(); at++) {
      if (Future* task = worker->TakeBack(at)) back.push_back(task);
    }
  }
  core_.counters.taken_back.fetch_add(back.size(), std::memory_order_relaxed);
  Requeue(back);
  Fill();
}

bool Dispatcher::Withdraw(Future* task, const std::function<Ending()>& ending) {
  if (task->is_map) {
    bool any = false, ended = false;
    auto end_chunk = [&](Future* chunk) {
      any = true;
      End(chunk, ending());
    };
    Retain(task);
    for (auto it = returned_.begin(); it != returned_.end();) {
      Future* chunk = *it;
      if (!chunk->is_chunk || chunk->parent != task) {
        ++it;
        continue;
      }
      it = returned_.erase(it);
      queued_--;
      queued_bytes_ -= chunk->size;
      end_chunk(chunk);
    }
    std::erase_if(delayed_, [&](const Delayed& one) {
      if (!one.task->is_chunk || one.task->parent != task) return false;
      queued_--;
      end_chunk(one.task);
      return true;
    });
    for (auto& worker : core_.workers) {
      if (!worker->channel || worker->held == 0) continue;
      for (uint64_t at = worker->tail; at < worker->channel->head(); at++) {
        Future* chunk = worker->in_flight[at % ipc::kSlots].load(std::memory_order_acquire);
        if (!worker->channel->IsQueued(at) || !chunk || !chunk->is_chunk || chunk->parent != task) continue;
        if (worker->TakeBack(at, WorkerSlot::Payload::kDrop)) end_chunk(chunk);
      }
      if (worker->held == 0) ListIdle(worker.get());
    }
    uint64_t left = task->extra->map->chunks_left();
    if (task->outcome() == MPROC_OUTCOME_PENDING && left) {
      any = true;
      queued_ -= left;
      Ending rest = ending();
      ended = task->extra->map->RestEnded(&rest);
    }
    if (ended) End(task, task->extra->map->TakeEnding());
    Release(task);
    return any;
  }
  if (task->outcome() != MPROC_OUTCOME_PENDING || !WithdrawOne(task)) return false;
  End(task, ending());
  return true;
}

bool Dispatcher::WithdrawOne(Future* task) {
  if (task->place >= 0) {
    WorkerSlot* worker = core_.workers[static_cast<size_t>(task->place)].get();
    if (!worker->channel || worker->TakeBack(task->position, WorkerSlot::Payload::kDrop) != task)
      return false;
    if (worker->held == 0) ListIdle(worker);
    return true;
  }
  if (task->tombstone) return false;
  if (std::erase_if(delayed_, [&](const Delayed& one) { return one.task == task; })) {
    queued_--;
    return true;
  }
  for (auto it = returned_.begin(); it != returned_.end(); ++it) {
    if (*it != task) continue;
    returned_.erase(it);
    queued_--;
    queued_bytes_ -= task->size;
    return true;
  }
  // It stays linked as a tombstone; the queue keeps a reference of its own.
  task->tombstone = true;
  Retain(task);
  queued_--;
  queued_bytes_ -= task->size;
  return true;
}

void Dispatcher::RunAgain(Future* task) {
  const Future* whole = task->is_chunk ? task->parent : task;
  if (uint8_t cause = whole->stopped.load(std::memory_order_relaxed)) {
    bool late = cause == MPROC_CAUSE_DEADLINE;
    return End(task, StoppedEnding(late ? MPROC_OUTCOME_TIMED_OUT : MPROC_OUTCOME_CANCELLED, cause));
  }
  int64_t wait = task->policy().BackOff(task->attempts++);
  core_.counters.retried.fetch_add(1, std::memory_order_relaxed);
  task->place = -1;
  if (wait <= 0) return Requeue({task});
  int64_t until = NowNs() + wait;
  delayed_.push_back({until, task});
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

void Dispatcher::WithdrawAll(const std::function<Ending()>& ending) {
  for (Future* task : returned_) End(task, ending());
  returned_.clear();
  for (Delayed& one : delayed_) End(one.task, ending());
  delayed_.clear();
  for (Future* task = first_; task;) {
    Future* next = task->next;
    if (task->tombstone) {
      Release(task);
    } else if (task->is_map) {
      Ending rest = ending();
      bool ended = task->extra->map->RestEnded(&rest);
      if (ended) End(task, task->extra->map->TakeEnding());
      Release(task);
    } else {
      End(task, ending());
    }
    task = next;
  }
  first_ = last_ = nullptr;
  queued_ = queued_bytes_ = 0;
  for (auto& worker : core_.workers) {
    if (!worker->channel) continue;
    for (uint64_t at = worker->tail; at < worker->channel->head(); at++) {
      if (Future* task = worker->TakeBack(at, WorkerSlot::Payload::kDrop)) End(task, ending());
    }
  }
}

void Dispatcher::WorkerReady(WorkerSlot* worker) { ListIdle(worker); }

void Dispatcher::WorkerGone(WorkerSlot* worker) {
  std::erase(idle_, worker);
  worker->listed_idle = false;
  if (current_ == worker) current_ = nullptr;
  if (poller_ == worker) poller_ = nullptr;
}

void Dispatcher::Progress(WorkerSlot* worker) {
  worker->stuck = false;
  ListIdle(worker);
}

}  // namespace mproc::pool
