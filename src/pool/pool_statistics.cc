// SPDX-License-Identifier: MIT
// The part of the pool that answers what can be asked of it.
#include <mproc/pool.h>

#include <algorithm>

#include "base/clock.hh"
#include "platform/process_state.hh"
#include "pool/pool.hh"

namespace mproc::pool {

PoolStatistics Pool::Statistics() {
  drain_.Settle();
  std::lock_guard lock(core_.mutex);
  PoolStatistics statistics{dispatcher_.queued(), dispatcher_.queued_bytes(), 0, 0};
  for (auto& worker : core_.workers) {
    if (worker->state == WorkerState::kReady) statistics.workers++;
    if (!worker->channel) continue;
    uint64_t waiting = 0;
    for (uint64_t at = worker->tail; at < worker->channel->head(); at++) {
      waiting += worker->channel->IsQueued(at) ? 1 : 0;
    }
    waiting = std::min<uint64_t>(waiting, worker->held);
    statistics.queued += waiting;
    statistics.running += worker->held - waiting;
  }
  return statistics;
}

WorkerInfo Pool::InfoOf(int32_t place) {
  drain_.Settle();
  std::lock_guard lock(core_.mutex);
  const WorkerSlot& worker = *core_.workers[static_cast<size_t>(place)];
  WorkerInfo info{worker.pid.load(),
                  worker.number,
                  MPROC_WORKER_STATE_NONE,
                  static_cast<int64_t>(worker.tasks_done.load()),
                  worker.held,
                  static_cast<int64_t>(worker.busy_ns.load()),
                  0,
                  0,
                  worker.initializer_ns};
  int64_t now = NowNs();
  if (worker.ready_at) {
    info.ready_ns = now - worker.ready_at;
    info.start_ns = worker.ready_at - worker.asked_at;
  }
  ipc::Run run;
  if (worker.RunsNow(now, &run)) info.busy_ns += now - run.begun_at;  // so far
  switch (worker.state) {
    case WorkerState::kNone:
      break;
    case WorkerState::kStarting:
      info.state = MPROC_WORKER_STATE_STARTING;
      break;
    case WorkerState::kReady:
      info.state = worker.held ? MPROC_WORKER_STATE_BUSY : MPROC_WORKER_STATE_IDLE;
      break;
    case WorkerState::kEnding:
      info.state = MPROC_WORKER_STATE_ENDING;
      break;
  }
  if (info.pid && platform::IsStopped(worker.pid.load())) info.state = MPROC_WORKER_STATE_STOPPED;
  return info;
}

Result<SlowTask> Pool::SlowestAt(size_t index) {
  drain_.Settle();
  std::lock_guard lock(core_.mutex);
  if (index < core_.slowest.size()) return core_.slowest[index];
  return Status(MPROC_ERROR_END, "no more tasks were noted as the slowest");
}

Progress Pool::ProgressOf(const Future& task) {
  std::lock_guard lock(core_.mutex);
  return pool::ProgressOf(core_, task);
}

}  // namespace mproc::pool
