// SPDX-License-Identifier: MIT
#include "pool/arrivals.hh"

namespace mproc::pool {

bool Arrivals::Add(Future* ended) {
  std::lock_guard lock(mutex_);
  if (closed_) return false;
  ended->extra->next_arrived = nullptr;
  if (first_.load(std::memory_order_relaxed)) {
    last_->extra->next_arrived = ended;
  } else {
    first_.store(ended, std::memory_order_seq_cst);
  }
  last_ = ended;
  return wanted_.exchange(false, std::memory_order_seq_cst);
}

Future* Arrivals::Take() {
  std::lock_guard lock(mutex_);
  Future* taken = first_.load(std::memory_order_relaxed);
  if (taken) first_.store(taken->extra->next_arrived, std::memory_order_seq_cst);
  return taken;
}

void Arrivals::Close() {
  std::lock_guard lock(mutex_);
  closed_ = true;
  first_.store(nullptr, std::memory_order_seq_cst);
}

}  // namespace mproc::pool
