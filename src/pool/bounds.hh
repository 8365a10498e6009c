// SPDX-License-Identifier: MIT
// The bound functions of a pool: a function of the table and bytes that every worker is sent once, before the
// first task there that uses them, under an id that stands wherever that of a function does. The bytes live
// until the id was given back and the last task with it has ended. Ids are never given out twice.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "pool/shared_block.hh"
#include "task/kind.hh"

namespace mproc::pool {

// Thread-safe.
class Bounds {
 public:
  // An id to make the memory for; 0 if all have been given out.
  uint32_t NewId();
  void Add(std::shared_ptr<SharedBlock> memory);
  // Takes no more tasks.
  Status Remove(uint32_t id);
  // The same for all.
  void RemoveAll();
  // UNKNOWN_FUNCTION unless a task may be submitted with this id.
  Status Check(uint32_t id) const;

  // A task, or a whole map, that Check let in: from its submission to its end. Other ids are fine.
  void Begin(uint32_t id) {
    if (task::IsBound(id)) Count(id, 1);
  }
  void End(uint32_t id) {
    if (task::IsBound(id)) Count(id, -1);
  }
  // While such a task lives.
  std::shared_ptr<SharedBlock> MemoryOf(uint32_t id) const;
  // The id in the table of what such a task calls; of any other task, or one that is gone, its own. At any
  // time.
  uint32_t FunctionOf(uint32_t id) const { return task::IsBound(id) ? Find(id) : id; }

 private:
  struct Bound {
    std::shared_ptr<SharedBlock> memory;
    int64_t tasks = 0;
    bool removed = false;
  };

  void Count(uint32_t id, int64_t more);
  uint32_t Find(uint32_t id) const;

  mutable std::mutex mutex_;  // a leaf; guards all
  uint32_t next_ = task::kFirstBound;
  std::unordered_map<uint32_t, Bound> bounds_;
};

}  // namespace mproc::pool
