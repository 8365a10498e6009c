// SPDX-License-Identifier: MIT
#include "pool/future_slab.hh"

#include <type_traits>

namespace mproc::pool {
namespace {

constexpr size_t kRange = size_t{16} << 30;  // addresses only: 128 million futures
constexpr size_t kStep = 256 * 1024;
constexpr size_t kBatch = 64;

}  // namespace

FutureSlab& FutureSlab::Get() {
  static constinit FutureSlab slab;  // lives as long as the process: stale handles are looked up
  static_assert(std::is_trivially_destructible_v<FutureSlab>);
  return slab;
}

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

FutureSlab::Kind FutureSlab::Check(const void* pointer) const {
  size_t committed = committed_.load(std::memory_order_acquire);
  if (committed == 0) return Kind::kNoFuture;  // nor is there a range yet
  auto address = reinterpret_cast<uintptr_t>(pointer);
  auto base = reinterpret_cast<uintptr_t>(range_.base());
  if (address < base || address - base >= committed || (address - base) % sizeof(Future) != 0) {
    return Kind::kNoFuture;
  }
  auto* future = static_cast<const Future*>(pointer);
  bool live = future->magic.load(std::memory_order_acquire) == kFutureMagic &&
              future->state.load(std::memory_order_relaxed) >= kOneHandle;
  return live ? Kind::kLive : Kind::kStale;
}

}  // namespace mproc::pool
