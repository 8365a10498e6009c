// SPDX-License-Identifier: MIT
// Memory of all futures of the process: one reserved range of addresses that is never unmapped, so that any
// pointer can be checked for being a live future without risk. Pools take and give records in batches.
#pragma once

#include <atomic>
#include <cstddef>
#include <mutex>

#include "platform/fork_lock.hh"
#include "platform/shared_memory.hh"
#include "pool/future.hh"

namespace mproc::pool {

// Thread-safe.
class FutureSlab {
 public:
  static FutureSlab& Get() { return instance_; }

  // A list of free records, linked by `next`; null without memory.
  Future* TakeBatch();
  // Gives a list back. When no record of the process is in use, the pages go back to the system.
  void GiveBack(Future* list);

  enum class Kind { kLive, kStale, kNoFuture };
  Kind Check(const void* pointer) const {
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

 private:
  constexpr FutureSlab() = default;

  static FutureSlab instance_;  // lives as long as the process: stale handles are looked up

  platform::ForkMutex mutex_;
  platform::AddressRange range_;      // reserved under mutex_ before committed_ first grows
  Future* free_ = nullptr;            // mutex_
  size_t free_count_ = 0;             // mutex_
  std::atomic<size_t> committed_{0};  // bytes; grows under mutex_
  size_t carved_ = 0;                 // bytes handed out at least once; mutex_
};

}  // namespace mproc::pool
