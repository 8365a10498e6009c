// SPDX-License-Identifier: MIT
// The module of the tests of queues, arrays and memory.
#include "share_functions.h"

#include "functions.h"
#include "module.h"

static int32_t Do_put_text(mproc_call_t* call, const void* input, size_t size, void* user_data) {
  (void)user_data;
  return mproc_queue_put(ObjectAt(call, 0), input, size, MPROC_FOREVER);
}

static int32_t Do_put_value(mproc_call_t* call, const void* input, size_t size, void* user_data) {
  mproc_value_t* value = NULL;
  const void* data = NULL;
  (void)input, (void)user_data;
  TRY(mproc_value_create(&value));
  TRY(mproc_value_begin_list(value));
  TRY(mproc_value_put_int(value, 42));
  TRY(mproc_value_put_nil(value));
  TRY(mproc_value_put_string(value, "hello", 5));
  TRY(mproc_value_end(value));
  TRY(mproc_value_encode(value, &data, &size));
  TRY(mproc_queue_put(ObjectAt(call, 0), data, size, MPROC_FOREVER));
  return mproc_value_destroy(value);
}

static int32_t Do_put_numbers(mproc_call_t* call, const void* input, size_t size, void* user_data) {
  mproc_queue_t* queue = ObjectAt(call, 0);
  (void)user_data;
  for (int64_t i = 0; i < NumberIn(input, size); i++)
    TRY(mproc_queue_put(queue, &i, sizeof i, MPROC_FOREVER));
  return 0;
}

static int32_t Do_take(mproc_call_t* call, const void* input, size_t size, void* user_data) {
  mproc_queue_t* queue = ObjectAt(call, 0);
  Board* board = TheBoard();
  (void)input, (void)user_data;
  for (;;) {
    int64_t number = 0;
    TRY(mproc_queue_get_into(queue, &number, sizeof number, &size, MPROC_FOREVER));
    if (number < 0) return 0;
    atomic_fetch_add(&board->begun[0], 1);
    atomic_fetch_add(&board->begun[1], (uint32_t)number);
    TRY(mproc_queue_task_done(queue));
  }
}

static int32_t Do_raise_items(mproc_call_t* call, const void* input, size_t size, void* user_data) {
  mproc_array_t* array = ObjectAt(call, 0);
  int32_t type = 0;
  void* data = NULL;
  (void)user_data;
  TRY(mproc_array_shape(array, &type, NULL, NULL));
  TRY(mproc_array_data(array, &data));
  for (int64_t i = NumberIn(input, size); i > 0; i--) {
    TRY(mproc_array_acquire(array, MPROC_FOREVER));
    if (type == MPROC_TYPE_DOUBLE) *(double*)data += 1;
    if (type == MPROC_TYPE_INT) *(int*)data += 1;
    TRY(mproc_array_release(array));
  }
  return 0;
}

static int32_t Do_write_items(mproc_call_t* call, const void* input, size_t size, void* user_data) {
  mproc_array_t* array = ObjectAt(call, 0);
  (void)input, (void)user_data;
  TRY(mproc_array_shape(array, NULL, NULL, &size));
  for (size_t i = 0; i < size; i++) {
    int item = (int)(3 * i);
    TRY(mproc_array_set(array, i, 1, &item, MPROC_FOREVER));
  }
  return 0;
}

static int32_t Do_write_bytes(mproc_call_t* call, const void* input, size_t size, void* user_data) {
  void* data = NULL;
  size_t whole = 0;
  (void)user_data;
  TRY(mproc_memory_data(ObjectAt(call, 0), &data, &whole));
  memcpy((char*)data + whole - size, input, size);
  return 0;
}

static int32_t Use(void* object) {
  int32_t kind = 0;
  int64_t index = 0;
  void* data = NULL;
  TRY(mproc_object_kind(object, &kind));
  switch (kind) {
    case MPROC_OBJECT_LOCK:
      return mproc_lock_release(object);
    case MPROC_OBJECT_SEMAPHORE:
      return mproc_semaphore_release(object, 1);
    case MPROC_OBJECT_EVENT:
      return mproc_event_set(object);
    case MPROC_OBJECT_CONDITION:
      TRY(mproc_condition_acquire(object, MPROC_FOREVER));
      TRY(mproc_condition_notify(object, 1));
      return mproc_condition_release(object);
    case MPROC_OBJECT_BARRIER:
      return mproc_barrier_wait(object, MPROC_FOREVER, NULL, NULL, &index);
    case MPROC_OBJECT_MEMORY:
      TRY(mproc_memory_data(object, &data, NULL));
      memcpy(data, "used", 4);
      return 0;
    case MPROC_OBJECT_SEGMENT:
      TRY(mproc_segment_data(object, &data, NULL));
      memcpy(data, "used", 4);
      return 0;
    case MPROC_OBJECT_ARRAY:
      return mproc_array_set(object, 0, 1, "used", MPROC_FOREVER);
    case MPROC_OBJECT_QUEUE:
      return mproc_queue_put(object, "used", 4, MPROC_FOREVER);
    case MPROC_OBJECT_CONNECTION:
      return mproc_connection_send(object, "used", 4, MPROC_FOREVER);
    default:
      return 1;
  }
}

static int32_t Do_use(mproc_call_t* call, const void* input, size_t size, void* user_data) {
  (void)input, (void)size, (void)user_data;
  return Use(ObjectAt(call, 0));
}

// The object of the next item of the queue.
static int32_t Next(mproc_queue_t* queue, void** object) {
  mproc_message_t* message = NULL;
  TRY(mproc_queue_get(queue, MPROC_FOREVER, &message));
  TRY(mproc_message_object(message, 0, object));
  return mproc_message_destroy(message);
}

static int32_t Do_use_next(mproc_call_t* call, const void* input, size_t size, void* user_data) {
  void* object = NULL;
  (void)input, (void)size, (void)user_data;
  TRY(Next(ObjectAt(call, 0), &object));
  TRY(Use(object));
  return mproc_object_destroy(object);
}

static int32_t Do_use_received(mproc_call_t* call, const void* input, size_t size, void* user_data) {
  mproc_message_t* message = NULL;
  void* object = NULL;
  (void)input, (void)size, (void)user_data;
  TRY(mproc_connection_receive_objects(ObjectAt(call, 0), MPROC_FOREVER, &message));
  TRY(mproc_message_object(message, 0, &object));
  TRY(mproc_message_destroy(message));
  TRY(Use(object));
  return mproc_object_destroy(object);
}

static int32_t Do_pass_on(mproc_call_t* call, const void* input, size_t size, void* user_data) {
  void* object = NULL;
  (void)input, (void)size, (void)user_data;
  TRY(Next(ObjectAt(call, 0), &object));
  TRY(mproc_queue_put_objects(ObjectAt(call, 1), "", 0, &object, 1, MPROC_FOREVER));
  return mproc_object_destroy(object);
}

static int32_t Do_die_putting(mproc_call_t* call, const void* input, size_t size, void* user_data) {
  mproc_queue_t* queue = ObjectAt(call, 0);
  (void)input, (void)size, (void)user_data;
  for (int64_t i = 0;; i++) {
    TRY(mproc_queue_put(queue, &i, sizeof i, MPROC_FOREVER));
    if (i == 100) atomic_fetch_add(&TheBoard()->begun[2], 1);
  }
}

static int32_t Do_make_segment(mproc_call_t* call, const void* input, size_t size, void* user_data) {
  mproc_segment_t* segment = NULL;
  (void)call, (void)size, (void)user_data;
  TRY(mproc_segment_create(input, 64, 0, &segment));
  atomic_fetch_add(&TheBoard()->begun[3], 1);
  for (;;) pause();
}

static int32_t Do_append(mproc_call_t* call, const void* input, size_t size, void* user_data) {
  mproc_lock_t* lock = ObjectAt(call, 0);
  void* data = NULL;
  (void)user_data;
  TRY(mproc_array_data(ObjectAt(call, 1), &data));
  volatile int* list = data;
  TRY(mproc_lock_acquire(lock, MPROC_FOREVER));
  int64_t length = list[0] + 1;
  list[length] = (int)NumberIn(input, size);
  list[0] = (int)length;
  TRY(mproc_lock_release(lock));
  return mproc_call_reply(call, &length, sizeof length);
}

MODULE_OF(SHARE_FUNCTIONS)
