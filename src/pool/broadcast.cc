// SPDX-License-Identifier: MIT
//
// A broadcast is a map with one item for every worker that is there or being started, each for that worker
// only. Such a task never waits in the queue: it is in its worker's own list until there is room in the
// channel, whatever seat the worker has, and ends with its worker if that does before.
#include <algorithm>
#include <new>

#include "pool/completion.hh"
#include "pool/map.hh"
#include "pool/pool.hh"

namespace mproc::pool {
namespace {

Ending LostBroadcast() {
  return OwnEnding(MPROC_OUTCOME_WORKER_LOST, MPROC_ERROR_WORKER_LOST,
                   "the worker ended before it began the call that was for it", MPROC_CAUSE_NONE);
}

}  // namespace

Status Pool::Broadcast(uint32_t function, ByteView bytes, Future** future) {
  const void* data = bytes.data();
  size_t size = bytes.size();
  MapInput input;
  input.broadcast = true;
  input.items = &data;
  input.sizes = &size;
  std::vector<WorkerSlot*> workers;
  std::unique_lock lock(core_.mutex);
  if (Status fit = CheckSubmit(function); !fit.ok()) return fit;
  for (auto& worker : core_.workers) {
    bool there = worker->state == WorkerState::kStarting || worker->state == WorkerState::kReady;
    if (there && worker->seat != Seat::kLeaving) workers.push_back(worker.get());
  }
  std::ranges::sort(workers, {}, &WorkerSlot::number);
  input.count = workers.size();
  auto map = MapState::Create(input, 1);
  if (!map.ok()) return map.status();
  Future* task = NewMap(function, std::move(*map), {.quiet = true}, {}, future);
  if (!task) return Status(MPROC_ERROR_OUT_OF_MEMORY);
  if (workers.empty()) {
    End(task, task->extra->map->TakeEnding());
  } else {
    dispatcher_.SubmitTo(workers, task);
  }
  lock.unlock();
  AfterSubmit(false);
  return Status();
}

void Dispatcher::SubmitTo(const std::vector<WorkerSlot*>& workers, Future* map) {
  for (WorkerSlot* worker : workers) {  // the last call may be the end of the map
    Future* chunk = NewChunk(map);
    if (!chunk) {
      Ending rest =
          NotRunEnding(MPROC_ERROR_OUT_OF_MEMORY, "the host had no memory for it", MPROC_CAUSE_NONE);
      if (map->extra->map->RestEnded(&rest)) End(map, map->extra->map->TakeEnding());
      return;
    }
    Keep(worker, chunk);
    GiveOwn(worker);
  }
}

void Dispatcher::Keep(WorkerSlot* worker, Future* task) {
  Future** end = &worker->own;
  while (*end) end = &(*end)->next;
  task->next = nullptr;
  *end = task;
}

void Dispatcher::GiveOwn(WorkerSlot* worker) try {
  if (worker->state != WorkerState::kReady) return;
  if (worker->channel->AsksToLeave()) return LoseOwn(worker);
  auto& positions = worker->own_positions;
  std::erase_if(positions, [&](uint64_t position) { return position < worker->tail; });
  while (worker->own && worker->channel->Room(worker->tail) > 0) {
    positions.push_back(worker->channel->head());
    Future* task = worker->own;
    worker->own = task->next;
    if (Give(worker, task)) continue;
    positions.pop_back();
    task->next = worker->own;
    worker->own = task;
    return;
  }
} catch (const std::bad_alloc&) {
  core_.CallSupervisor();  // which does it
}

void Dispatcher::LoseOwn(WorkerSlot* worker) {
  while (Future* task = worker->own) {
    worker->own = task->next;
    End(task, LostBroadcast());
  }
}

bool Dispatcher::WithdrawOwn(const Future* map, const std::function<Ending()>& ending) {
  bool any = false;
  for (auto& worker : core_.workers) {
    for (Future** link = &worker->own; *link;) {
      Future* task = *link;
      if (map && task->parent != map) {
        link = &task->next;
        continue;
      }
      *link = task->next;
      End(task, ending());
      any = true;
    }
  }
  return any;
}

bool Dispatcher::LoseIfOwn(Future* task) {
  if (!IsForOneWorker(*task)) return false;
  End(task, LostBroadcast());
  return true;
}

}  // namespace mproc::pool
