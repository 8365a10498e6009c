// SPDX-License-Identifier: MIT
//
// A map is a future that ends when its last chunk has ended; a chunk is a task whose end goes into its map
// and which nobody else ever sees. So the end of a chunk may be the end of its map, one level up, no more.
//
// Order in the end of a task that others see: the value or error is stored; the outcome is published in
// `state`; waiters are woken; the callback is queued or the engine's reference dropped. With a callback in
// thread mode kReady is set only after the callback has returned (RunCallback), so that whoever waits for the
// future finds the callback's work done; in the other modes only after it is queued, so that whoever has
// waited finds it by dispatch or next.
#include "pool/completion.hh"

#include <new>

#include "pool/arrivals.hh"
#include "pool/map.hh"
#include "pool/pool.hh"

namespace mproc::pool {

Ending ValueEnding(ByteView value) {
  Ending ending;
  ending.value = value;
  return ending;
}

Ending ErrorEnding(task::TaskError error) {
  Ending ending;
  ending.outcome = MPROC_OUTCOME_ERROR;
  ending.error = std::make_unique<ErrorInfo>();
  ending.error->error = std::move(error);
  return ending;
}

Ending OwnEnding(int32_t outcome, int32_t status, std::string_view message, int32_t cause) noexcept {
  Ending ending;
  ending.outcome = outcome;
  try {
    ending.error = std::make_unique<ErrorInfo>();
    ending.error->error = {status, StatusName(status), std::string(message), ""};
    ending.error->cause = cause;
  } catch (const std::bad_alloc&) {
    ending.error.reset();
  }
  return ending;
}

Ending CancelledEnding(int32_t cause) {
  const char* why = cause == MPROC_CAUSE_CALL        ? "the task was cancelled"
                    : cause == MPROC_CAUSE_TERMINATE ? "the pool was terminated"
                                                     : "the pool was destroyed";
  return OwnEnding(MPROC_OUTCOME_CANCELLED, MPROC_ERROR_CANCELLED, why, cause);
}

Ending StoppedEnding(int32_t outcome, int32_t cause) {
  if (outcome != MPROC_OUTCOME_TIMED_OUT) return CancelledEnding(cause);
  return OwnEnding(outcome, MPROC_ERROR_TASK_TIMED_OUT, "the deadline passed before the task began", cause);
}

Ending NotRunEnding(int32_t status, std::string_view message, int32_t cause) {
  return OwnEnding(MPROC_OUTCOME_NOT_RUN, status, message, cause);
}

namespace {

// Only if all tasks are timed: then each has an extra.
void NoteBegin(Future* task, int64_t when) {
  task->extra->begun_at = when;
  if (!task->is_map) return;
  task->worker_pid = task->extra->map->last_worker().pid;
  task->worker_number = task->extra->map->last_worker().number;
}

}  // namespace

void EndChunk(Future* chunk, Ending* ending) noexcept {
  Future* parent = chunk->parent;
  if (ending->error) {
    ending->error->worker_pid = chunk->worker_pid;
    ending->error->worker_number = chunk->worker_number;
  }
  MapState& map = *parent->extra->map;
  bool all = map.ChunkEnded(*chunk, ending);  // if not the last, the map may be gone from here on
  if (all) End(parent, map.TakeEnding());
}

void End(Future* task, Ending ending) noexcept {
  Pool* pool = task->pool;
  if (task->is_chunk) {
    EndChunk(task, &ending);
    Release(task);
    return;
  }
  if (ending.outcome == MPROC_OUTCOME_VALUE && ending.in_place) {
    task->held.data = ending.value.data();
    task->size = ending.value.size();
    task->held.holder->TaskEnded();
  } else if (ending.outcome == MPROC_OUTCOME_VALUE && ending.holder) {
    HoldBytes(task, ending.value, std::move(ending.holder));
  } else if (ending.outcome == MPROC_OUTCOME_VALUE && !task->is_map && !StoreBytes(task, ending.value)) {
    ending = OwnEnding(MPROC_OUTCOME_ERROR, MPROC_ERROR_OUT_OF_MEMORY,
                       "the host had no memory for the value of the task", MPROC_CAUSE_NONE);
  }
  if (ending.begun_at) NoteBegin(task, ending.begun_at);
  if (ending.outcome != MPROC_OUTCOME_VALUE) {
    FreeBytes(task);
    if (task->is_map && ending.error) {
      task->worker_pid = ending.error->worker_pid;
      task->worker_number = ending.error->worker_number;
    }
    if (!task->extra) task->extra = new (std::nothrow) Extra();
    if (task->extra) task->extra->error = std::move(ending.error);
  }
  task->elapsed = ending.elapsed;
  bool told = task->extra && task->extra->told;
  auto bits = static_cast<uint32_t>(ending.outcome);
  if (!told) bits |= kReady;
  pool->DropBound(task->function);
  Arrivals* arrivals = task->extra ? task->extra->arrivals.get() : nullptr;
  bool waited = (task->state.fetch_or(bits, std::memory_order_seq_cst) & kWaited) != 0;
  if (arrivals && !told) waited |= arrivals->Add(task);  // else when its callbacks have run
  pool->Ended(ending.outcome, waited);
  if (told) {
    pool->QueueCallback(task);
  } else {
    Release(task);
  }
}

void Retain(Future* future) { future->refs.fetch_add(1, std::memory_order_relaxed); }

void AddHandle(Future* future) {
  Retain(future);
  future->state.fetch_add(kOneHandle, std::memory_order_relaxed);
}

bool ReleaseHandle(Future* future) {
  uint32_t state = future->state.load(std::memory_order_relaxed);
  do {
    if (state < kOneHandle) return false;
  } while (!future->state.compare_exchange_weak(state, state - kOneHandle, std::memory_order_acq_rel));
  Release(future);
  return true;
}

void Release(Future* future) {
  if (GiveUp(future)) future->pool->FreeRecords(future, future, 1);
}

bool GiveUp(Future* future) {
  // The only owner has nobody to race with.
  if (future->refs.load(std::memory_order_acquire) != 1 &&
      future->refs.fetch_sub(1, std::memory_order_acq_rel) != 1) {
    return false;
  }
  FreeBytes(future);
  if (!future->is_chunk) delete future->extra;
  future->magic.store(0, std::memory_order_release);
  return true;
}

}  // namespace mproc::pool
