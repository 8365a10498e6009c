// SPDX-License-Identifier: MIT
#include "pool/wait.hh"

#include <algorithm>
#include <vector>

#include "platform/futex.hh"
#include "pool/pool.hh"

namespace mproc::pool {
namespace {

constexpr int64_t kSlice = 100'000'000;

class OneReady : public Condition {
 public:
  explicit OneReady(Future* future) : future_(future) {}
  bool Done() override { return IsReady(*future_); }
  void Mark() override { future_->state.fetch_or(kWaited, std::memory_order_seq_cst); }

 private:
  Future* future_;
};

class AnyReady : public Condition {
 public:
  AnyReady(std::span<Future* const> futures, size_t* index) : futures_(futures), index_(index) {}
  bool Done() override {
    for (size_t i = 0; i < futures_.size(); i++) {
      if (!futures_[i] || !IsReady(*futures_[i])) continue;
      *index_ = i;
      return true;
    }
    return false;
  }
  void Mark() override {
    if (marked_) return;
    marked_ = true;
    for (Future* future : futures_) {
      if (future) future->state.fetch_or(kWaited, std::memory_order_seq_cst);
    }
  }

 private:
  std::span<Future* const> futures_;
  size_t* index_;
  bool marked_ = false;
};

// All of one pool. What is ready stays so: the first that is not is the only one to look at and to mark.
class AllReady : public Condition {
 public:
  AllReady(std::span<Future* const> futures) : futures_(futures) {}
  bool Done() override {
    while (next_ < futures_.size() && (!futures_[next_] || IsReady(*futures_[next_]))) next_++;
    return next_ == futures_.size();
  }
  void Mark() override {
    if (next_ < futures_.size()) futures_[next_]->state.fetch_or(kWaited, std::memory_order_seq_cst);
  }

 private:
  std::span<Future* const> futures_;
  size_t next_ = 0;
};

Pool* OnlyPool(std::span<Future* const> futures) {
  Pool* pool = nullptr;
  for (Future* future : futures) {
    if (!future) continue;
    if (pool && future->pool != pool) return nullptr;
    pool = future->pool;
  }
  return pool;
}

// Futures of several pools: this thread leads in none of them; their engine drains for it.
Status WaitAnyOfSeveral(std::span<Future* const> futures, Condition& condition, const Deadline& deadline) {
  std::vector<Pool*> pools;
  for (Future* future : futures) {
    if (future && std::find(pools.begin(), pools.end(), future->pool) == pools.end()) {
      pools.push_back(future->pool);
    }
  }
  std::vector<Waiter> waiters(pools.size());
  std::atomic<uint32_t> word{0};
  for (size_t i = 0; i < pools.size(); i++) {
    waiters[i].can_lead = false;
    waiters[i].shared_word = &word;
    pools[i]->AddOutsider(&waiters[i]);
  }
  condition.Mark();
  Status left;
  for (;;) {
    word.store(0, std::memory_order_seq_cst);
    for (Pool* pool : pools) pool->Refresh();
    if (condition.Done()) break;
    if (deadline.Passed()) {
      left = Status(MPROC_ERROR_TIMED_OUT);
      break;
    }
    if (std::any_of(pools.begin(), pools.end(), [](Pool* pool) { return pool->TakeWake(); })) {
      left = Status(MPROC_ERROR_INTERRUPTED);
      break;
    }
    auto slept = platform::FutexWait(&word, 0, std::min(deadline.Remaining(), kSlice), false);
    if (slept == platform::Slept::kInterrupted && !condition.Done()) {
      left = Status(MPROC_ERROR_INTERRUPTED);
      break;
    }
  }
  for (size_t i = 0; i < pools.size(); i++) pools[i]->RemoveOutsider(&waiters[i]);
  return left;
}

}  // namespace

bool IsReady(const Future& future) {
  uint32_t state = future.state.load(std::memory_order_seq_cst);
  if (state & kReady) return true;
  return (state & kOutcomeMask) && InsideCallbackOf(future.pool);
}

Status WaitOne(Future* future, const Deadline& deadline) {
  OneReady condition(future);
  return future->pool->Wait(condition, deadline);
}

Status WaitAll(std::span<Future* const> futures, const Deadline& deadline) {
  if (Pool* pool = OnlyPool(futures)) {
    AllReady condition(futures);
    return pool->Wait(condition, deadline);
  }
  for (Future* future : futures) {
    if (!future) continue;
    Status one = WaitOne(future, deadline);
    if (!one.ok()) return one;
  }
  return Status();
}

Status WaitAny(std::span<Future* const> futures, const Deadline& deadline, size_t* index) {
  AnyReady condition(futures, index);
  if (Pool* pool = OnlyPool(futures)) return pool->Wait(condition, deadline);
  return WaitAnyOfSeveral(futures, condition, deadline);
}

}  // namespace mproc::pool
