// SPDX-License-Identifier: MIT
// Queues, arrays and memory: what they refuse, how they travel, and what they leave.
#include "shares.h"

enum { kWorkers = 2 };

static mproc_pool_t* SharePool(void) {
  OpenBoard();
  mproc_pool_options_t* options = Options(kWorkers);
  NEED_OK(mproc_pool_options_set_module(options, TEST_MODULE_SHARE));
  return ReadyWith(options);
}
// One task of a function that has these objects.
static void RunWith(mproc_pool_t* pool, uint32_t function, void* const* objects, size_t count) {
  uint32_t id = 0;
  NEED_OK(mproc_pool_bind_objects(pool, function, NULL, 0, objects, count, &id));
  mproc_future_t* future = Submit(pool, id, NULL, 0);
  WaitEnd(future);
  CHECK_OK(mproc_future_error(future));
  Release(future);
  CHECK_OK(mproc_pool_unbind(pool, id));
}

// ---- one of each kind, and how to see that it was used

typedef struct {
  void* object;
  int32_t kind;
  mproc_connection_t* peer;  // of a connection
} Thing;

static Thing Make(int32_t kind) {
  Thing thing = {NULL, kind, NULL};
  mproc_lock_t* lock = NULL;
  switch (kind) {
    case MPROC_OBJECT_LOCK:
      NEED_OK(mproc_lock_create(MPROC_LOCK_PLAIN, &lock));
      NEED_OK(mproc_lock_acquire(lock, 0));
      thing.object = lock;
      break;
    case MPROC_OBJECT_SEMAPHORE:
      NEED_OK(mproc_semaphore_create(0, 0, (mproc_semaphore_t**)&thing.object));
      break;
    case MPROC_OBJECT_EVENT:
      NEED_OK(mproc_event_create((mproc_event_t**)&thing.object));
      break;
    case MPROC_OBJECT_CONDITION:
      NEED_OK(mproc_lock_create(MPROC_LOCK_PLAIN, &lock));
      NEED_OK(mproc_condition_create(lock, (mproc_condition_t**)&thing.object));
      NEED_OK(mproc_lock_destroy(lock));
      NEED_OK(mproc_condition_acquire(thing.object, 0));  // the user waits until the host does
      break;
    case MPROC_OBJECT_BARRIER:
      NEED_OK(mproc_barrier_create(2, (mproc_barrier_t**)&thing.object));
      break;
    case MPROC_OBJECT_MEMORY:
      NEED_OK(mproc_memory_create(4, MPROC_MEMORY_RESERVED, (mproc_memory_t**)&thing.object));
      break;
    case MPROC_OBJECT_ARRAY:
      NEED_OK(mproc_lock_create(MPROC_LOCK_PLAIN, &lock));
      NEED_OK(mproc_array_create(MPROC_TYPE_BYTES, 4, 1, lock, (mproc_array_t**)&thing.object));
      NEED_OK(mproc_lock_destroy(lock));
      break;
    case MPROC_OBJECT_QUEUE:
      NEED_OK(mproc_queue_create(0, 0, MPROC_QUEUE_OBJECTS, (mproc_queue_t**)&thing.object));
      break;
    case MPROC_OBJECT_CONNECTION:
      NEED_OK(mproc_pipe_create(1, (mproc_connection_t**)&thing.object, &thing.peer));
      break;
    case MPROC_OBJECT_SEGMENT:
      NEED_OK(mproc_segment_create(NULL, 4, MPROC_MEMORY_RESERVED, (mproc_segment_t**)&thing.object));
      break;
    default:
      NEED(kind < 0);
  }
  return thing;
}
// Waits for what its user did.
static void Used(Thing thing) {
  char text[5] = "";
  void* data = NULL;
  switch (thing.kind) {
    case MPROC_OBJECT_LOCK:
      CHECK_OK(mproc_lock_acquire(thing.object, TestLong()));
      break;
    case MPROC_OBJECT_SEMAPHORE:
      CHECK_OK(mproc_semaphore_acquire(thing.object, TestLong()));
      break;
    case MPROC_OBJECT_EVENT:
      CHECK_OK(mproc_event_wait(thing.object, TestLong()));
      break;
    case MPROC_OBJECT_CONDITION:
      CHECK_OK(mproc_condition_wait(thing.object, TestLong()));
      break;
    case MPROC_OBJECT_BARRIER:
      CHECK_OK(mproc_barrier_wait(thing.object, TestLong(), NULL, NULL, NULL));
      break;
    case MPROC_OBJECT_MEMORY:
      NEED_OK(mproc_memory_data(thing.object, &data, NULL));
      CHECK_SOON(memcmp(data, "used", 4) == 0);
      break;
    case MPROC_OBJECT_SEGMENT:
      NEED_OK(mproc_segment_data(thing.object, &data, NULL));
      CHECK_SOON(memcmp(data, "used", 4) == 0);
      CHECK_OK(mproc_segment_unlink(thing.object));
      break;
    case MPROC_OBJECT_ARRAY:
      CHECK_SOON(mproc_array_get(thing.object, 0, 1, text, TestLong()) == MPROC_OK &&
                 strcmp(text, "used") == 0);
      break;
    case MPROC_OBJECT_QUEUE:
      CHECK(strcmp(GetText(thing.object), "used") == 0);
      break;
    case MPROC_OBJECT_CONNECTION:
      CHECK_OK(mproc_connection_receive_into(thing.peer, text, 4, NULL, TestLong()));
      CHECK(strcmp(text, "used") == 0);
      CHECK_OK(mproc_connection_destroy(thing.peer));
      break;
  }
  CHECK_OK(mproc_object_destroy(thing.object));
}

// Each kind goes with a process, with a task, with an item of a queue, and from there on to others, and with
// a message.
static void EachKindTravels(void) {
  mproc_pool_t* pool = SharePool();
  mproc_queue_t *first = NewQueue(0, MPROC_QUEUE_OBJECTS), *second = NewQueue(0, MPROC_QUEUE_OBJECTS);
  void* both[] = {first, second};
  for (int32_t kind = MPROC_OBJECT_LOCK; kind <= MPROC_OBJECT_SEGMENT; kind++) {
    int32_t told = 0;
    uint32_t id = 0;
    Thing thing = Make(kind);
    CHECK_OK(mproc_object_kind(thing.object, &told));
    CHECK_EQ(told, kind);
    mproc_process_t* process = StartWithOne(share_use, 0, thing.object);
    Used(thing);
    CHECK_EQ(TakeCode(process), 0);

    thing = Make(kind);
    NEED_OK(mproc_pool_bind_objects(pool, share_use, NULL, 0, &thing.object, 1, &id));
    mproc_future_t* future = Submit(pool, id, NULL, 0);
    Used(thing);
    WaitEnd(future);
    CHECK_OK(mproc_future_error(future));
    Release(future);
    CHECK_OK(mproc_pool_unbind(pool, id));

    thing = Make(kind);
    NEED_OK(mproc_queue_put_objects(first, "text", 4, &thing.object, 1, 0));
    RunWith(pool, share_pass_on, both, 2);
    process = StartWithOne(share_use_next, 0, second);
    Used(thing);
    CHECK_EQ(TakeCode(process), 0);

    mproc_connection_t *mine = NULL, *its = NULL;
    thing = Make(kind);
    NEED_OK(mproc_pipe_create(1, &mine, &its));
    process = StartWithOne(share_use_received, 0, its);
    NEED_OK(mproc_connection_send_objects(mine, "text", 4, &thing.object, 1, TestLong()));
    Used(thing);
    CHECK_EQ(TakeCode(process), 0);
    CHECK_OK(mproc_connection_destroy(mine));
    CHECK_OK(mproc_connection_destroy(its));
  }
  CHECK_OK(mproc_queue_destroy(first));
  CHECK_OK(mproc_queue_destroy(second));
  CloseJoinDestroy(pool);
}

static void MemoryIsShared(void) {
  mproc_pool_t* pool = SharePool();
  mproc_memory_t* memory = NULL;
  void* data = NULL;
  size_t size = 0;
  uint32_t id = 0;
  NEED_OK(mproc_memory_create(100001, MPROC_MEMORY_LATER, &memory));
  NEED_OK(mproc_memory_data(memory, &data, &size));
  CHECK_EQ(size, 100001);
  CHECK((uintptr_t)data % 64 == 0);
  for (size_t i = 0; i < size; i++) CHECK_EQ(((char*)data)[i], 0);
  NEED_OK(mproc_pool_bind_objects(pool, share_write_bytes, NULL, 0, (void**)&memory, 1, &id));
  mproc_future_t* future = Submit(pool, id, "the end", 7);
  WaitEnd(future);
  CHECK_OK(mproc_future_error(future));
  Release(future);
  CHECK(memcmp((char*)data + size - 7, "the end", 7) == 0);
  CHECK_OK(mproc_memory_destroy(memory));
  CloseJoinDestroy(pool);
}

// Those who put are killed; the host takes what was put, in order, and puts and takes on.
static void KilledWhileItPuts(void) {
  if (Threads()) TestSkip("threads are not killed");
  OpenBoard();
  for (int round = 0; round < 8; round++) {
    mproc_queue_t* queue = NewQueue(0, 0);
    uint32_t before = Begun(2);
    mproc_process_t* process = StartWithOne(share_die_putting, 0, queue);
    NEED_SOON(Begun(2) > before);
    CHECK_OK(mproc_process_kill(process));
    CHECK_EQ(TakeCode(process), -9);
    uint64_t items = ItemsIn(queue);
    CHECK(items > 100);
    for (uint64_t i = 0; i < items; i++) CHECK_EQ(GetNumber(queue), (int64_t)i);
    PutNumber(queue, 5);
    CHECK_EQ(GetNumber(queue), 5);
    CHECK_OK(mproc_queue_destroy(queue));
  }
}

// As many messages as there are handles: the next item stays in the queue.
static void NoHandleLosesNoItem(void) {
  enum { kMost = 65536 };
  mproc_queue_t* queue = NewQueue(0, 0);
  mproc_message_t **messages = calloc(kMost, sizeof *messages), *last = NULL;
  for (int64_t i = 0; i <= kMost; i++) PutNumber(queue, i);
  for (int64_t i = 0; i < kMost; i++) NEED_OK(mproc_queue_get(queue, 0, &messages[i]));
  CHECK_STATUS(mproc_queue_get(queue, 0, &last), MPROC_ERROR_OUT_OF_MEMORY);
  for (int64_t i = 0; i < kMost; i++) CHECK_OK(mproc_message_destroy(messages[i]));
  free(messages);
  CHECK_EQ(GetNumber(queue), kMost);
  CHECK_OK(mproc_queue_destroy(queue));
}

// ---- bad input

static void WrongQueues(void) {
  mproc_queue_t* queue = NULL;
  mproc_message_t* message = NULL;
  mproc_event_t* event = NewEvent();
  void* objects[65] = {event};
  char buffer[4];
  size_t size = 0;
  CHECK_STATUS(mproc_queue_create(0, 0, 2, &queue), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_queue_create(0, 0, 0, NULL), MPROC_ERROR_INVALID_ARGUMENT);
  queue = NewQueue(0, 0);
  CHECK_STATUS(mproc_queue_put(queue, NULL, 1, 0), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_queue_put(queue, buffer, SIZE_MAX, 0), MPROC_ERROR_TOO_LARGE);
  CHECK_STATUS(mproc_queue_put_objects(queue, NULL, 0, objects, 1, 0), MPROC_ERROR_UNSUPPORTED);
  CHECK_STATUS(mproc_queue_put_objects(queue, NULL, 0, objects, 65, 0), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_queue_put_objects(queue, NULL, 0, NULL, 1, 0), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_queue_get(queue, 0, NULL), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_queue_get(queue, -5, &message), MPROC_ERROR_QUEUE_EMPTY);
  CHECK_STATUS(mproc_queue_get_into(queue, NULL, 1, &size, 0), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_queue_get_into(queue, buffer, 1, NULL, 0), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_queue_put((mproc_queue_t*)event, "x", 1, 0), MPROC_ERROR_INVALID_HANDLE);
  CHECK_OK(mproc_queue_put(queue, "12345", 5, 0));
  CHECK_STATUS(mproc_queue_get_into(queue, buffer, 4, &size, 0), MPROC_ERROR_BUFFER_TOO_SMALL);
  CHECK_EQ(size, 5);
  CHECK(strcmp(GetText(queue), "12345") == 0);
  CHECK_OK(mproc_queue_destroy(queue));
  CHECK_STATUS(mproc_queue_put(queue, "x", 1, 0), MPROC_ERROR_STALE_HANDLE);
  CHECK_STATUS(mproc_queue_destroy(queue), MPROC_ERROR_STALE_HANDLE);
  CHECK_OK(mproc_queue_destroy(NULL));

  queue = NewQueue(0, MPROC_QUEUE_OBJECTS);
  CHECK_OK(mproc_queue_put_objects(queue, "", 0, objects, 1, 0));
  CHECK_STATUS(mproc_queue_get_into(queue, buffer, 4, &size, 0), MPROC_ERROR_WRONG_KIND);
  NEED_OK(mproc_queue_get(queue, 0, &message));
  CHECK_STATUS(mproc_message_object(message, 1, objects), MPROC_ERROR_END);
  CHECK_STATUS(mproc_message_object(message, 0, NULL), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_OK(mproc_message_object(message, 0, objects));
  CHECK_STATUS(mproc_message_object(message, 0, objects + 1), MPROC_ERROR_NOT_FOUND);
  CHECK_OK(mproc_message_destroy(message));
  CHECK_STATUS(mproc_message_data(message, NULL, NULL), MPROC_ERROR_STALE_HANDLE);
  CHECK_OK(mproc_event_set(objects[0]));
  CHECK_OK(mproc_event_wait(event, 0));
  CHECK_OK(mproc_object_destroy(objects[0]));
  CHECK_OK(mproc_event_destroy(event));
  CHECK_STATUS(mproc_queue_put_objects(queue, "", 0, (void**)&event, 1, 0), MPROC_ERROR_STALE_HANDLE);
  CHECK_OK(mproc_queue_destroy(queue));
}

static void WrongArraysAndMemory(void) {
  mproc_array_t* array = NULL;
  mproc_memory_t* memory = NULL;
  mproc_lock_t* lock = NULL;
  int items[3] = {1, 2, 3};
  int32_t type = 0;
  size_t size = 0, count = 0;
  CHECK_STATUS(mproc_array_create('x', 0, 1, NULL, &array), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_array_create(MPROC_TYPE_INT, 8, 1, NULL, &array), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_array_create(MPROC_TYPE_INT, 0, 0, NULL, &array), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_array_create(MPROC_TYPE_BYTES, 0, 1, NULL, &array), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_array_create(MPROC_TYPE_INT, 0, 1, NULL, NULL), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_array_create(MPROC_TYPE_INT, 0, SIZE_MAX, NULL, &array), MPROC_ERROR_TOO_LARGE);
  NEED_OK(mproc_lock_create(MPROC_LOCK_ROBUST, &lock));
  NEED_OK(mproc_array_create(MPROC_TYPE_INT, 0, 3, lock, &array));
  CHECK_OK(mproc_array_shape(array, &type, &size, &count));
  CHECK(type == MPROC_TYPE_INT && size == sizeof(int) && count == 3);
  CHECK_STATUS(mproc_array_set(array, 1, 3, items, 0), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_array_set(array, SIZE_MAX, 2, items, 0), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_array_get(array, 0, 1, NULL, 0), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_array_data(array, NULL), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_OK(mproc_lock_acquire(lock, 0));
  CHECK_STATUS(mproc_array_set(array, 0, 1, items, 0),
               MPROC_ERROR_TIMED_OUT);  // it is the array's, and not recursive
  CHECK_OK(mproc_lock_destroy(lock));
  CHECK_OK(mproc_array_lock(array, &lock));  // the same one
  CHECK_OK(mproc_lock_release(lock));
  CHECK_OK(mproc_array_set(array, 0, 3, items, 0));
  CHECK_STATUS(mproc_array_release(array), MPROC_ERROR_RELEASED_TOO_OFTEN);
  CHECK_OK(mproc_lock_destroy(lock));
  CHECK_OK(mproc_array_destroy(array));
  array = NewArray(MPROC_TYPE_INT, 1);
  CHECK_STATUS(mproc_array_lock(array, &lock), MPROC_ERROR_NOT_FOUND);
  CHECK_OK(mproc_array_destroy(array));
  CHECK_STATUS(mproc_memory_create(0, 0, &memory), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_memory_create(1, 2, &memory), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_memory_create(1, 0, NULL), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_memory_create(SIZE_MAX, 0, &memory), MPROC_ERROR_TOO_LARGE);
  CHECK_STATUS(mproc_memory_create((size_t)1 << 45, 0, &memory), MPROC_ERROR_OUT_OF_MEMORY);
  const size_t much = (size_t)1 << (TestUnderValgrind() ? 34 : 37);  // sanitizers have no room for more
  CHECK_OK(mproc_memory_create(much, MPROC_MEMORY_LATER, &memory));
  CHECK_OK(mproc_memory_destroy(memory));
}

// ---- how many there can be

// 10,000 of each kind are made, go through a queue and are destroyed; the frame of the tests counts what is
// left.
static void TenThousandOfEach(void) {
  mproc_queue_t* queue = NewQueue(0, MPROC_QUEUE_OBJECTS);
  for (int32_t kind = MPROC_OBJECT_LOCK; kind <= MPROC_OBJECT_SEGMENT; kind++) {
    for (int i = 0; i < 10000; i++) {
      Thing thing = Make(kind);
      mproc_message_t* message = NULL;
      void* its = NULL;
      int32_t told = 0;
      NEED_OK(mproc_queue_put_objects(queue, &i, sizeof i, &thing.object, 1, 0));
      if (kind == MPROC_OBJECT_SEGMENT) NEED_OK(mproc_segment_unlink(thing.object));
      NEED_OK(mproc_object_destroy(thing.object));
      NEED_OK(mproc_queue_get(queue, 0, &message));
      NEED_OK(mproc_message_object(message, 0, &its));
      NEED_OK(mproc_message_destroy(message));
      NEED_OK(mproc_object_kind(its, &told));
      NEED(told == kind);
      NEED_OK(mproc_object_destroy(its));
      NEED_OK(mproc_connection_destroy(thing.peer));
    }
  }
  CHECK_OK(mproc_queue_destroy(queue));
}

int main(int argc, char** argv) {
  static const TestCase cases[] = {
      {"each kind travels", EachKindTravels, 0},
      {"memory is shared", MemoryIsShared, 0},
      {"killed while it puts", KilledWhileItPuts, 0},
      {"no handle loses no item", NoHandleLosesNoItem, 0},
      {"wrong queues", WrongQueues, 0},
      {"wrong arrays and memory", WrongArraysAndMemory, 0},
      {"ten thousand of each", TenThousandOfEach, 0},
  };
  return TEST_MAIN(argc, argv, cases);
}
