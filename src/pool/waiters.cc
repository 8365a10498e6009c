// SPDX-License-Identifier: MIT
#include "pool/waiters.hh"

#include "platform/futex.hh"

namespace mproc::pool {

void Waiters::Add(Waiter* waiter) {
  std::lock_guard lock(mutex_);
  waiter->previous = nullptr;
  waiter->next = first_;
  if (first_) first_->previous = waiter;
  first_ = waiter;
  (waiter->can_lead ? followers_ : others_).fetch_add(1, std::memory_order_seq_cst);
}

void Waiters::Remove(Waiter* waiter) {
  std::lock_guard lock(mutex_);
  (waiter->previous ? waiter->previous->next : first_) = waiter->next;
  if (waiter->next) waiter->next->previous = waiter->previous;
  (waiter->can_lead ? followers_ : others_).fetch_sub(1, std::memory_order_seq_cst);
}

void Waiters::Wake(Waiter* waiter) {
  std::atomic<uint32_t>* word = waiter->shared_word ? waiter->shared_word : &waiter->word;
  if (word->exchange(1, std::memory_order_seq_cst) == 0) platform::FutexWake(word, 1, false);
}

void Waiters::WakeAll() {
  if (followers_.load(std::memory_order_seq_cst) == 0 && !HasOthers()) return;
  std::lock_guard lock(mutex_);
  for (Waiter* waiter = first_; waiter; waiter = waiter->next) Wake(waiter);
}

bool Waiters::WakeOne() {
  if (followers_.load(std::memory_order_seq_cst) == 0) return false;
  std::lock_guard lock(mutex_);
  for (Waiter* waiter = first_; waiter; waiter = waiter->next) {
    if (!waiter->can_lead) continue;
    Wake(waiter);
    return true;
  }
  return false;
}

}  // namespace mproc::pool
