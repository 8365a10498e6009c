// SPDX-License-Identifier: MIT
#include "pool/progress.hh"

#include <algorithm>
#include <utility>

#include "base/room.hh"
#include "pool/map.hh"
#include "pool/pool.hh"

namespace mproc::pool {
namespace {

constexpr int kMostTries = 3;

// Items that running chunks of the map have done. Records are not made anew while the mutex is held, so those
// that end meanwhile can still be read.
uint64_t DoneInChunks(const Core& core, const Future& map) {
  uint64_t done = 0;
  for (const auto& worker : core.workers) {
    ipc::Run last;
    uint64_t item = 0;
    if (!worker->channel || worker->held == 0 || !worker->channel->flight().Last(&last)) continue;
    if (last.position < worker->tail || last.position >= worker->channel->head()) continue;
    const Future* chunk = worker->in_flight[last.position % ipc::kSlots].load(std::memory_order_acquire);
    if (!chunk || !chunk->is_chunk || chunk->parent != &map || chunk->kind == task::Kind::kSingle) continue;
    if (!worker->channel->flight().ItemOf(last.position, &item) || item < chunk->range.first) continue;
    done += std::min(item - chunk->range.first, chunk->range.count);
  }
  return done;
}

}  // namespace

Progress ProgressOf(const Core& core, const Future& task) {
  if (task.is_map) {
    MapState& map = *task.extra->map;
    uint64_t ended = map.ended(), running = 0;
    for (int tries = 0; tries < kMostTries; tries++) {
      running = DoneInChunks(core, task);
      if (uint64_t before = std::exchange(ended, map.ended()); ended == before) break;
      running = 0;  // maybe counted twice
    }
    return {map.NoteTold(std::min(ended + running, map.count())), map.count()};
  }
  if (task.outcome() != MPROC_OUTCOME_PENDING) return {1, 1};
  Progress told;
  const WorkerSlot* worker = task.place >= 0 ? core.workers[static_cast<size_t>(task.place)].get() : nullptr;
  if (worker && worker->channel &&
      worker->channel->flight().ProgressOf(task.position, &told.done, &told.total)) {
    return told;
  }
  return {0, 1};
}

void ProgressDue::Tell(const Future& task, mproc_future_t* handle) {
  Progress now = task.pool->ProgressOf(task);
  if (now == told_) return;
  told_ = now;
  callback_(handle, now.done, now.total, user_data_);
}

void ProgressWatch::Prepare() { MakeRoom(&watched_); }

void ProgressWatch::Add(Future* task) { watched_.push_back({task, {}}); }

void ProgressWatch::Look() {
  std::lock_guard lock(core_.mutex);
  std::erase_if(watched_, [&](Watched& watched) {
    if (watched.task->outcome() != MPROC_OUTCOME_PENDING) {
      Release(watched.task);
      return true;
    }
    Progress now = ProgressOf(core_, *watched.task);
    if (now != watched.seen) watched.task->extra->progress->Queue();
    watched.seen = now;
    return false;
  });
}

void ProgressWatch::Clear() {
  std::lock_guard lock(core_.mutex);
  for (Watched& watched : watched_) Release(watched.task);
  watched_.clear();
}

}  // namespace mproc::pool
