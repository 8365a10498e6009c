// SPDX-License-Identifier: MIT
#include "pool/function_times.hh"

#include <algorithm>
#include <new>

namespace mproc::pool {
namespace {

constexpr size_t kMostFunctions = 1024;

}  // namespace

uint64_t Histogram::Count() const {
  uint64_t count = 0;
  for (const auto& bucket : buckets_) count += bucket.load(std::memory_order_relaxed);
  return count;
}

// The largest value of a bucket.
uint64_t Histogram::EndOf(size_t index) {
  if (index < 8) return index;
  uint64_t power = index / 8 + 2;
  return ((8 + index % 8 + 1) << (power - 3)) - 1;
}

uint64_t Histogram::Percentile(uint64_t percent) const {
  uint64_t count = Count(), rank = (count * percent + 99) / 100, seen = 0;
  for (size_t i = 0; count && i < kBuckets; i++) {
    seen += buckets_[i].load(std::memory_order_relaxed);
    if (seen >= rank) return std::min(EndOf(i), most());
  }
  return most();
}

TimesOfFunction* FunctionTimes::Find(uint32_t function) try {
  std::lock_guard lock(mutex_);
  auto found = all_.find(function);
  if (found == all_.end()) {
    if (all_.size() >= kMostFunctions) return nullptr;
    found = all_.emplace(function, std::make_unique<TimesOfFunction>()).first;
    found->second->function = function;
  }
  return recent_[function % kRecent] = found->second.get();
} catch (const std::bad_alloc&) {
  return nullptr;  // this one is not counted
}

const TimesOfFunction* FunctionTimes::Read(uint32_t function) const {
  std::lock_guard lock(mutex_);
  auto found = all_.find(function);
  return found == all_.end() ? nullptr : found->second.get();
}

}  // namespace mproc::pool
