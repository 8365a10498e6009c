// SPDX-License-Identifier: MIT
// The part of the dispatcher that ends tasks which no worker has begun, wherever they wait: in the queue,
// until their next attempt, or in the channel of a worker.
#include "pool/completion.hh"
#include "pool/dispatcher.hh"
#include "pool/map.hh"

namespace mproc::pool {

bool Dispatcher::Withdraw(Future* task, const std::function<Ending()>& ending) {
  if (task->is_map) {
    bool any = false, ended = false;
    auto end_chunk = [&](Future* chunk) {
      any = true;
      End(chunk, ending());
    };
    Retain(task);
    any = WithdrawOwn(task, ending);
    auto of_map = [&](const Future* chunk) { return chunk->is_chunk && chunk->parent == task; };
    returned_.TakeOut(of_map, [&](Future* chunk) {
      queued_--;
      queued_bytes_ -= chunk->size;
      end_chunk(chunk);
    });
    std::erase_if(delayed_, [&](const Delayed& one) {
      if (!of_map(one.task)) return false;
      queued_--;
      end_chunk(one.task);
      return true;
    });
    for (auto& worker : core_.workers) {
      if (!worker->channel || worker->held == 0) continue;
      for (uint64_t at = worker->tail; at < worker->channel->head(); at++) {
        Future* chunk = worker->in_flight[at % ipc::kSlots].load(std::memory_order_acquire);
        if (!worker->channel->IsQueued(at) || !chunk || !of_map(chunk)) continue;
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
  queued_--;
  queued_bytes_ -= task->size;
  bool returned = false;
  returned_.TakeOut([&](Future* one) { return one == task; }, [&](Future*) { returned = true; });
  if (returned) return true;
  // It stays linked as a tombstone; the queue keeps a reference of its own.
  task->tombstone = true;
  Retain(task);
  return true;
}

void Dispatcher::WithdrawAll(const std::function<Ending()>& ending) {
  returned_.TakeOut([](Future*) { return true; }, [&](Future* task) { End(task, ending()); });
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
  first_ = nullptr;
  lanes_.clear();
  queued_ = queued_bytes_ = 0;
  WithdrawOwn(nullptr, ending);
  for (auto& worker : core_.workers) {
    if (!worker->channel) continue;
    for (uint64_t at = worker->tail; at < worker->channel->head(); at++) {
      if (Future* task = worker->TakeBack(at, WorkerSlot::Payload::kDrop)) End(task, ending());
    }
  }
}

}  // namespace mproc::pool
