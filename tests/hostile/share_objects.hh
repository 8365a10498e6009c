// SPDX-License-Identifier: MIT
// Memory, an array and a queue.
#pragma once

#include "calls.hh"
#include "check.hh"

namespace hostile {

struct ShareObjects {
  mproc_memory_t* memory = nullptr;
  mproc_array_t* array = nullptr;
  mproc_queue_t* queue = nullptr;

  void Make() {
    CHECK_OK(mproc_memory_create(100, MPROC_MEMORY_RESERVED, &memory));
    CHECK_OK(mproc_array_create(MPROC_TYPE_INT, 0, 4, nullptr, &array));
    CHECK_OK(mproc_queue_create(0, 0, MPROC_QUEUE_BYTES, &queue));
    CHECK_OK(mproc_queue_put(queue, "hello", 5, 0));
  }
  // Null for kinds of other handles.
  void* Of(Kind kind) const {
    if (kind == Kind::kMemory) return memory;
    if (kind == Kind::kArray) return array;
    return kind == Kind::kQueue ? queue : nullptr;
  }
  void StillWell() const {
    void* data = nullptr;
    size_t size = 0;
    uint64_t items = 0;
    CHECK_OK(mproc_memory_data(memory, &data, &size));
    CHECK_EQ(size, 100);
    CHECK_OK(mproc_array_acquire(array, 0));
    CHECK_OK(mproc_array_release(array));
    CHECK_OK(mproc_queue_count(queue, &items, nullptr, nullptr, nullptr));
    CHECK_EQ(items, 1);
  }
  void Drop() {
    CHECK_OK(mproc_memory_destroy(memory));
    CHECK_OK(mproc_array_destroy(array));
    CHECK_OK(mproc_queue_destroy(queue));
  }
};

}  // namespace hostile
