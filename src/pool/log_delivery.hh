// SPDX-License-Identifier: MIT
// Log records on their way from the channels of workers to the log callback. They wait in the callback queue,
// in the order in which each worker wrote them, and before the end of their task: the drainer takes a
// worker's records before each of its results. With a callback thread the end of a task that has logged goes
// through that queue, too, so that whoever sees it ready finds its records delivered.
//
// What waits there is bounded: records beyond that, as those that a worker found no room for, are counted,
// and the callback is told how many there were.
#pragma once

#include <atomic>

#include "pool/options.hh"
#include "pool/worker_slot.hh"

namespace mproc::pool {

class Pool;

// Drain lock, unless said.
class LogDelivery {
 public:
  // Before the pool is shared.
  void Open(Pool* pool, const LogOptions& options) { pool_ = pool, options_ = options; }
  bool wanted() const { return options_.callback != nullptr; }  // any thread
  // Takes in what the worker wrote. False if that is nonsense.
  bool TakeFrom(WorkerSlot* worker);
  // The task of this position is about to end by the caller's hand.
  void BeforeEnd(WorkerSlot* worker, uint64_t position, Future* task);
  uint64_t records() const { return records_.load(std::memory_order_relaxed); }  // any thread
  uint64_t dropped() const { return all_dropped_.load(std::memory_order_relaxed); }

 private:
  friend class LogDue;
  void Queue(const WorkerSlot& worker, ipc::LogRecord record);
  void Drop(uint64_t records);
  bool HasRoom() const;

  Pool* pool_ = nullptr;  // constant
  LogOptions options_;    // constant
  uint64_t dropped_ = 0;  // and not yet told
  std::atomic<uint64_t> records_{0};
  std::atomic<uint64_t> all_dropped_{0};
  std::atomic<size_t> waiting_{0};  // bytes in the callback queue
};

}  // namespace mproc::pool
