// SPDX-License-Identifier: MIT
// How a pool comes to its end: close, terminate, join, destroy.
#include <mproc/pool.h>

#include <algorithm>

#include "pool/callbacks.hh"
#include "pool/completion.hh"
#include "pool/pool.hh"

namespace mproc::pool {
namespace {

constexpr int64_t kEndLimit = 5 * MPROC_SECOND;  // beyond the grace time: SIGKILL takes no longer

}  // namespace

void Pool::Close() {
  {
    std::lock_guard lock(core_.mutex);
    if (core_.phase.load() == Phase::kRunning) core_.phase.store(Phase::kClosing);
  }
  core_.WakeEveryone();
  drain_.Settle();
}

void Pool::Terminate(int32_t cause) {
  drain_.Settle();  // what has ended by now keeps its value
  {
    std::lock_guard lock(core_.mutex);
    if (core_.phase.load() >= Phase::kTerminating) return;
    core_.terminate_cause = cause;
    core_.phase.store(Phase::kTerminating);
    dispatcher_.WithdrawAll([cause] { return CancelledEnding(cause); });
    supervisor_.EndWorkers();
  }
  core_.WakeEveryone();
  drain_.Settle();
}

Status Pool::Join(const Deadline& deadline) {
  if (core_.phase.load() == Phase::kRunning) return Status(MPROC_ERROR_STILL_RUNNING);
  if (InsideCallbackOf(this)) return Status(MPROC_ERROR_WOULD_BLOCK_ITSELF);
  ConditionOf joined([this] { return Joined(); });
  return drain_.Wait(joined, deadline);
}

bool Pool::WaitEnded(const Deadline& deadline) {
  ConditionOf joined([this] { return core_.phase.load() == Phase::kJoined; });
  for (;;) {
    Status waited = drain_.Wait(joined, deadline);
    if (waited.code() != MPROC_ERROR_INTERRUPTED) return waited.ok();
  }
}

void Pool::Destroy() {
  Terminate(MPROC_CAUSE_DESTROY);
  if (InsideCallbackOf(this)) {
    destroy_later_.store(true, std::memory_order_seq_cst);  // by the thread that runs the callback
  } else {
    FinishDestroy();
  }
}

void Pool::FinishDestroy() {
  auto self = shared_from_this();
  int64_t grace = std::clamp<int64_t>(core_.options.terminate_grace, 0, MPROC_FOREVER - kEndLimit);
  WaitEnded(Deadline::After(grace + kEndLimit));
  if (!CallbacksDelayReady()) {
    while (DueCallback* due = callbacks_.Pop(false)) due->Run();
  }
  core_.bounds.RemoveAll();
  callbacks_.Stop();
  progress_.Clear();
  {
    std::lock_guard lock(thread_mutex_);
    if (callback_thread_.started()) callback_thread_.Join();
  }
  DropSelf();
}

}  // namespace mproc::pool
