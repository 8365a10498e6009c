// SPDX-License-Identifier: MIT
#include "pool/future_slab.hh"

#include <type_traits>

namespace mproc::pool {
namespace {

constexpr size_t kRange = size_t{16} << 30;  // addresses only: 128 million futures
constexpr size_t kStep = 256 * 1024;
constexpr size_t kBatch = 64;

}  // namespace

static_assert(std::is_trivially_destructible_v<FutureSlab>);
constinit FutureSlab FutureSlab::instance_;

Future* FutureSlab::TakeBatch() {
  std::lock_guard lock(mutex_);
  Future* list = nullptr;
  for (size_t i = 0; i < kBatch && free_; i++) {
    Future* record = free_;
    free_ = record->next;
    free_count_--;
    record->next = list;
    list = record;
  }
  if (list) return list;
  size_t committed = committed_.load(std::memory_order_relaxed);
  if (carved_ == committed) {
    if (!range_.base()) range_ = platform::AddressRange::Reserve(kRange);
    if (!range_.Commit(committed, kStep)) return nullptr;
    committed_.store(committed + kStep, std::memory_order_release);
  }
  for (size_t i = 0; i < kBatch; i++) {
    auto* record = reinterpret_cast<Future*>(range_.base() + carved_);
    carved_ += sizeof(Future);
    record->next = list;
    list = record;
  }
  return list;
}

void FutureSlab::GiveBack(Future* list) {
  std::lock_guard lock(mutex_);
  while (list) {
    Future* next = list->next;
    list->next = free_;
    free_ = list;
    free_count_++;
    list = next;
  }
  if (free_count_ * sizeof(Future) == carved_ && carved_ > kStep) {
    range_.Discard(0, committed_.load(std::memory_order_relaxed));
    free_ = nullptr;
    free_count_ = 0;
    carved_ = 0;
  }
}

}  // namespace mproc::pool
