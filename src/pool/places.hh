// SPDX-License-Identifier: MIT
// The places of a pool for workers: one for each that may hold tasks, and more for successors that stand
// ready and for workers on their way out. They grow and never shrink, and none ever moves.
//
// Guard: the pool's mutex and the drain lock together to add one, so that either is enough to walk them; the
// count may be read by any thread.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "pool/worker_slot.hh"

namespace mproc::pool {

class Places {
 public:
  // So many never fill up: a pool has at most 4096 workers and at most one successor for each.
  static constexpr size_t kMost = size_t{2} * 4096;

  Places() {
    slots_.reserve(kMost);  // address space: pages come with the places
    first_ = slots_.data();
  }

  std::unique_ptr<WorkerSlot>* begin() const { return first_; }
  std::unique_ptr<WorkerSlot>* end() const { return first_ + size(); }
  std::unique_ptr<WorkerSlot>& operator[](size_t place) const { return first_[place]; }
  size_t size() const { return count_.load(std::memory_order_acquire); }

  WorkerSlot* Add() {
    auto made = std::make_unique<WorkerSlot>();
    made->place = static_cast<int>(slots_.size());
    slots_.push_back(std::move(made));
    count_.store(slots_.size(), std::memory_order_release);
    return slots_.back().get();
  }
  // One without a process.
  WorkerSlot* FindFree() {
    for (auto& worker : *this) {
      if (worker->state == WorkerState::kNone) return worker.get();
    }
    return Add();
  }

 private:
  std::vector<std::unique_ptr<WorkerSlot>> slots_;
  std::unique_ptr<WorkerSlot>* first_;
  std::atomic<size_t> count_{0};
};

}  // namespace mproc::pool
