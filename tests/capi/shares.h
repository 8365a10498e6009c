// SPDX-License-Identifier: MIT
// What the programs that share queues, arrays and memory with processes have in common.
#ifndef MPROC_TESTS_SHARES_H
#define MPROC_TESTS_SHARES_H

#include "processes.h"
#include "share_functions.h"

static inline mproc_process_t* StartSharing(uint32_t function, const void* data, size_t size,
                                            void* const* objects, size_t count) {
  mproc_process_options_t* options = ProcessOptions(function, data, size);
  NEED_OK(mproc_process_options_set_module(options, TEST_MODULE_SHARE));
  NEED_OK(mproc_process_options_set_objects(options, objects, count));
  return StartWith(options);
}
static inline mproc_process_t* StartWithOne(uint32_t function, int64_t number, void* object) {
  return StartSharing(function, &number, sizeof number, &object, 1);
}
static inline mproc_queue_t* NewQueue(uint64_t most_items, uint32_t flags) {
  mproc_queue_t* queue = NULL;
  NEED_OK(mproc_queue_create(most_items, 0, flags, &queue));
  return queue;
}
static inline mproc_array_t* NewArray(int32_t type, size_t count) {
  mproc_array_t* array = NULL;
  NEED_OK(mproc_array_create(type, 0, count, NULL, &array));
  return array;
}
static inline void PutNumber(mproc_queue_t* queue, int64_t number) {
  NEED_OK(mproc_queue_put(queue, &number, sizeof number, TestLong()));
}
static inline int64_t GetNumber(mproc_queue_t* queue) {
  int64_t number = INT64_MIN;
  size_t size = 0;
  NEED_OK(mproc_queue_get_into(queue, &number, sizeof number, &size, TestLong()));
  CHECK_EQ(size, sizeof number);
  return number;
}
static inline uint64_t ItemsIn(mproc_queue_t* queue) {
  uint64_t items = UINT64_MAX;
  CHECK_OK(mproc_queue_count(queue, &items, NULL, NULL, NULL));
  return items;
}
// The text of the next item.
static inline const char* GetText(mproc_queue_t* queue) {
  static char text[64];
  mproc_message_t* message = NULL;
  void* data = NULL;
  size_t size = 0;
  NEED_OK(mproc_queue_get(queue, TestLong(), &message));
  NEED_OK(mproc_message_data(message, &data, &size));
  NEED(size < sizeof text);
  memcpy(text, data, size);
  text[size] = 0;
  CHECK_OK(mproc_message_destroy(message));
  return text;
}

#endif
