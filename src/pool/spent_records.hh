// SPDX-License-Identifier: MIT
// Records that nobody holds any more, given back to their pool together: what costs an exchange each with
// other threads is paid once for all. One thread.
#pragma once

#include <cstdint>
#include <utility>

#include "pool/future.hh"
#include "pool/pool.hh"

namespace mproc::pool {

class SpentRecords {
 public:
  SpentRecords() = default;
  SpentRecords(const SpentRecords&) = delete;
  SpentRecords& operator=(const SpentRecords&) = delete;
  ~SpentRecords() { GiveBack(); }

  // Gives up a reference of a record of that pool.
  void Add(Future* record) {
    if (!GiveUp(record)) return;
    record->next = first_;
    first_ = record;
    if (!last_) last_ = record;
    count_++;
  }
  void GiveBack() {
    if (!first_) return;
    Future* first = std::exchange(first_, nullptr);
    first->pool->FreeRecords(first, std::exchange(last_, nullptr), std::exchange(count_, 0));
  }

 private:
  Future* first_ = nullptr;
  Future* last_ = nullptr;
  uint64_t count_ = 0;
};

}  // namespace mproc::pool
