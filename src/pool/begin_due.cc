// SPDX-License-Identifier: MIT
#include "pool/begin_due.hh"

#include "pool/worker_slot.hh"

namespace mproc::pool {

void BeginDue::NoteOnce(const WorkerSlot& worker) {
  if (noted_.exchange(true, std::memory_order_relaxed)) return;
  worker_pid_ = worker.pid.load();
  worker_number_ = worker.number;
  Queue();
}

void BeginDue::Tell(const Future&, mproc_future_t* handle) {
  callback_(handle, worker_pid_, worker_number_, user_data_);
}

}  // namespace mproc::pool
