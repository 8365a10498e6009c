// SPDX-License-Identifier: MIT
// Memory with and without a name, an array and a queue.
#pragma once

#include "calls.hh"
#include "check.hh"

namespace hostile {

struct ShareObjects {
  mproc_memory_t* memory = nullptr;
  mproc_segment_t* segment = nullptr;  // has a list in it
  mproc_array_t* array = nullptr;
  mproc_queue_t* queue = nullptr;

  void Make() {
    CHECK_OK(mproc_memory_create(100, MPROC_MEMORY_RESERVED, &memory));
    mproc_value_t* list = nullptr;
    CHECK_OK(mproc_value_create(&list));
    CHECK_OK(mproc_value_begin_list(list));
    CHECK_OK(mproc_value_put_int(list, 1));
    CHECK_OK(mproc_value_end(list));
    CHECK_OK(mproc_shareable_list_create(nullptr, list, &segment));
    CHECK_OK(mproc_value_destroy(list));
    CHECK_OK(mproc_array_create(MPROC_TYPE_INT, 0, 4, nullptr, &array));
    CHECK_OK(mproc_queue_create(0, 0, MPROC_QUEUE_BYTES, &queue));
    CHECK_OK(mproc_queue_put(queue, "hello", 5, 0));
  }
  // Null for kinds of other handles.
  void* Of(Kind kind) const {
    if (kind == Kind::kMemory) return memory;
    if (kind == Kind::kSegment) return segment;
    if (kind == Kind::kArray) return array;
    return kind == Kind::kQueue ? queue : nullptr;
  }
  void StillWell() const {
    void* data = nullptr;
    size_t size = 0;
    uint64_t items = 0;
    CHECK_OK(mproc_memory_data(memory, &data, &size));
    CHECK_EQ(size, 100);
    CHECK_OK(mproc_segment_data(segment, &data, &size));
    CHECK_EQ(size, 41);
    CHECK_OK(mproc_array_acquire(array, 0));
    CHECK_OK(mproc_array_release(array));
    CHECK_OK(mproc_queue_count(queue, &items, nullptr, nullptr, nullptr));
    CHECK_EQ(items, 1);
  }
  void Drop() {
    CHECK_OK(mproc_memory_destroy(memory));
    CHECK(mproc_segment_unlink(segment) == MPROC_OK ||
          mproc_segment_unlink(segment) == MPROC_ERROR_NOT_FOUND);
    CHECK_OK(mproc_segment_destroy(segment));
    CHECK_OK(mproc_array_destroy(array));
    CHECK_OK(mproc_queue_destroy(queue));
  }
};

}  // namespace hostile
