// SPDX-License-Identifier: MIT
// The tasks that ran longest, of all functions together, each with the first bytes of its payload. A task
// takes the place of another one only if it is slower by an eighth: many equal ones cost one comparison each.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "pool/bounds.hh"
#include "pool/worker_slot.hh"

namespace mproc::pool {

struct SlowTask {
  static constexpr size_t kMostBytes = 64;

  int64_t elapsed = 0;    // ns
  uint64_t task = 0;      // id; of a chunk that of its map
  uint32_t function = 0;  // of the table
  uint32_t worker = 0;    // its number
  uint64_t item = 0;      // of a map, the first of a chunk
  uint64_t items = 1;     // of the chunk
  uint64_t size = 0;      // of the payload; of a chunk that of its items
  size_t kept = 0;        // bytes of it
  std::array<std::byte, kMostBytes> bytes{};

  ByteView argument() const { return {bytes.data(), kept}; }
};

class Slowest {
 public:
  // Whether a task that ran so long belongs here. Drain lock.
  bool Wants(int64_t elapsed) const { return elapsed > bar_; }
  // Notes such a task, which has ended in this worker and still has its payload. Drain lock and pool's mutex.
  [[gnu::cold]] void Note(const WorkerSlot& worker, const Future& task, const Bounds& bounds,
                          int64_t elapsed);
  // Slowest first. Pool's mutex.
  size_t size() const { return size_; }
  const SlowTask& operator[](size_t index) const { return tasks_[index]; }

 private:
  static constexpr size_t kMost = 10;

  int64_t bar_ = 0;                    // drain lock; what a full list is above by an eighth
  std::array<SlowTask, kMost> tasks_;  // pool's mutex
  size_t size_ = 0;                    // the same
};

}  // namespace mproc::pool
