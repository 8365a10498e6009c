// SPDX-License-Identifier: MIT
// Scenarios of queues, locks and shared values: S2, S4, S6, S23, S25, S26, S27.
#include "shares.h"

// ---- S2: a child puts, the host gets, then joins

static void HelloFromAChild(void) {
  mproc_queue_t* queue = NewQueue(0, 0);
  void* objects[] = {queue};
  mproc_process_t* process = StartSharing(share_put_text, "hello", 5, objects, 1);
  if (!Threads()) CHECK(PidOf(process) != getpid());
  CHECK(strcmp(GetText(queue), "hello") == 0);
  CHECK_EQ(TakeCode(process), 0);
  CHECK_OK(mproc_queue_destroy(queue));
}

// ---- S4: a list and a plain lock, bound to the function of a map

static void AppendedUnderALock(void) {
  enum { kTasks = 20 };
  OpenBoard();
  mproc_pool_options_t* options = Options(4);
  NEED_OK(mproc_pool_options_set_module(options, TEST_MODULE_SHARE));
  mproc_pool_t* pool = ReadyWith(options);
  mproc_lock_t* lock = NULL;
  mproc_array_t* list = NULL;
  mproc_future_t* map = NULL;
  uint32_t append = 0;
  int64_t numbers[kTasks], lengths[kTasks];
  int items[kTasks + 1], seen[kTasks + 1] = {0};
  NEED_OK(mproc_lock_create(MPROC_LOCK_PLAIN, &lock));
  NEED_OK(mproc_array_create_raw(MPROC_TYPE_INT, 0, kTasks + 1, &list));
  void* objects[] = {lock, list};
  NEED_OK(mproc_pool_bind_objects(pool, share_append, NULL, 0, objects, 2, &append));
  for (int i = 0; i < kTasks; i++) numbers[i] = i;
  NEED_OK(mproc_pool_map_array(pool, append, numbers, sizeof numbers[0], kTasks, lengths, sizeof lengths[0],
                               1, TestLong(), &map));
  CHECK_OK(mproc_future_error(map));
  Release(map);
  CloseJoinDestroy(pool);
  NEED_OK(mproc_array_get(list, 0, kTasks + 1, items, 0));
  CHECK_EQ(items[0], kTasks);
  for (int i = 0; i < kTasks; i++) {
    NEED(lengths[i] >= 1 && lengths[i] <= kTasks && items[i + 1] >= 0 && items[i + 1] < kTasks);
    CHECK_EQ(items[lengths[i]], i);
    CHECK_EQ(seen[lengths[i]]++, 0);
  }
  CHECK_OK(mproc_lock_destroy(lock));
  CHECK_OK(mproc_array_destroy(list));
}

// ---- S6: three values of three kinds

static void ValuesOfThreeKinds(void) {
  mproc_queue_t* queue = NewQueue(0, 0);
  mproc_process_t* process = StartWithOne(share_put_value, 0, queue);
  mproc_message_t* message = NULL;
  mproc_value_t* value = NULL;
  void* data = NULL;
  size_t size = 0;
  uint64_t count = 0, node = 0;
  int64_t number = 0;
  int32_t kind = 0;
  const char* text = NULL;
  NEED_OK(mproc_queue_get(queue, TestLong(), &message));
  NEED_OK(mproc_message_data(message, &data, &size));
  NEED_OK(mproc_value_create(&value));
  NEED_OK(mproc_value_decode(value, data, size));
  CHECK_OK(mproc_value_count(value, 0, &count));
  CHECK_EQ(count, 3);
  NEED_OK(mproc_value_list_at(value, 0, 0, &node));
  CHECK_OK(mproc_value_get_int(value, node, &number));
  CHECK_EQ(number, 42);
  NEED_OK(mproc_value_list_at(value, 0, 1, &node));
  CHECK_OK(mproc_value_kind(value, node, &kind));
  CHECK_EQ(kind, MPROC_VALUE_NIL);
  NEED_OK(mproc_value_list_at(value, 0, 2, &node));
  CHECK_OK(mproc_value_get_string(value, node, &text, &size));
  CHECK(size == 5 && memcmp(text, "hello", 5) == 0);
  CHECK_STATUS(mproc_queue_get(queue, 0, &message), MPROC_ERROR_QUEUE_EMPTY);
  CHECK_OK(mproc_value_destroy(value));
  CHECK_OK(mproc_message_destroy(message));
  CHECK_EQ(TakeCode(process), 0);
  CHECK_OK(mproc_queue_destroy(queue));
}

// ---- S23: values and arrays

static void ValuesAndArrays(void) {
  enum { kProcesses = 4, kTimes = 10000 };
  mproc_array_t *number = NewArray(MPROC_TYPE_DOUBLE, 1), *count = NewArray(MPROC_TYPE_INT, 1);
  mproc_array_t *items = NewArray(MPROC_TYPE_INT, 10), *raw = NULL;
  mproc_process_t* processes[kProcesses];
  double six = 6;
  int seen[10], sum = -1;
  NEED_OK(mproc_array_set(number, 0, 1, &six, 0));
  CHECK_EQ(TakeCode(StartWithOne(share_raise_items, 1, number)), 0);
  NEED_OK(mproc_array_get(number, 0, 1, &six, 0));
  CHECK(six == 7);
  NEED_OK(mproc_array_get(items, 0, 10, seen, 0));
  for (int i = 0; i < 10; i++) CHECK_EQ(seen[i], 0);
  CHECK_EQ(TakeCode(StartWithOne(share_write_items, 0, items)), 0);
  NEED_OK(mproc_array_get(items, 0, 10, seen, 0));
  for (int i = 0; i < 10; i++) CHECK_EQ(seen[i], 3 * i);

  for (int i = 0; i < kProcesses; i++) processes[i] = StartWithOne(share_raise_items, kTimes, count);
  for (int i = 0; i < kProcesses; i++) CHECK_EQ(TakeCode(processes[i]), 0);
  NEED_OK(mproc_array_get(count, 0, 1, &sum, 0));
  CHECK_EQ(sum, kProcesses * kTimes);

  NEED_OK(mproc_array_create_raw(MPROC_TYPE_INT, 0, 10, &raw));
  CHECK_STATUS(mproc_array_acquire(raw, 0), MPROC_ERROR_UNSUPPORTED);
  CHECK_STATUS(mproc_array_release(raw), MPROC_ERROR_UNSUPPORTED);
  CHECK_EQ(TakeCode(StartWithOne(share_write_items, 0, raw)), 0);
  NEED_OK(mproc_array_get(raw, 9, 1, seen, 0));
  CHECK_EQ(seen[0], 27);
  CHECK_OK(mproc_array_destroy(number));
  CHECK_OK(mproc_array_destroy(count));
  CHECK_OK(mproc_array_destroy(items));
  CHECK_OK(mproc_array_destroy(raw));
}

// ---- S25: a queue of two

static void FullAndEmpty(void) {
  enum { kD = 30 };
  mproc_queue_t* queue = NewQueue(2, 0);
  int64_t number = 0;
  size_t size = 0;
  PutNumber(queue, 1);
  PutNumber(queue, 2);
  CHECK_STATUS(mproc_queue_put(queue, &number, sizeof number, 0), MPROC_ERROR_QUEUE_FULL);
  int64_t begin = TestNow();
  CHECK_STATUS(mproc_queue_put(queue, &number, sizeof number, kD * MPROC_MILLISECOND),
               MPROC_ERROR_QUEUE_FULL);
  CHECK(TestNow() - begin >= kD * MPROC_MILLISECOND);
  mproc_process_t* process = StartWithOne(share_put_numbers, 1, queue);  // waits for room
  CHECK_EQ(GetNumber(queue), 1);
  CHECK_EQ(TakeCode(process), 0);
  CHECK_EQ(GetNumber(queue), 2);
  CHECK_EQ(GetNumber(queue), 0);
  CHECK_STATUS(mproc_queue_get_into(queue, &number, sizeof number, &size, 0), MPROC_ERROR_QUEUE_EMPTY);
  begin = TestNow();
  CHECK_STATUS(mproc_queue_get_into(queue, &number, sizeof number, &size, kD * MPROC_MILLISECOND),
               MPROC_ERROR_QUEUE_EMPTY);
  CHECK(TestNow() - begin >= kD * MPROC_MILLISECOND);
  CHECK_OK(mproc_queue_destroy(queue));
}

// ---- S26: four consumers, ten items, join

static void JoinedWhenAllIsDone(void) {
  enum { kConsumers = 4, kItems = 10 };
  mproc_queue_t* queue = NewQueue(0, 0);
  mproc_process_t* processes[kConsumers];
  CHECK_OK(mproc_queue_join(queue, 0));
  for (int i = 0; i < kConsumers; i++) processes[i] = StartWithOne(share_take, 0, queue);
  for (int64_t i = 0; i < kItems; i++) PutNumber(queue, i);
  CHECK_OK(mproc_queue_join(queue, TestLong()));
  CHECK_EQ(Begun(0), kItems);
  CHECK_EQ(Begun(1), kItems * (kItems - 1) / 2);
  CHECK_STATUS(mproc_queue_task_done(queue), MPROC_ERROR_RELEASED_TOO_OFTEN);
  for (int i = 0; i < kConsumers; i++) PutNumber(queue, -1);
  CHECK_STATUS(mproc_queue_join(queue, 5 * MPROC_MILLISECOND), MPROC_ERROR_TIMED_OUT);
  CHECK_OK(mproc_queue_close(queue));
  CHECK_OK(mproc_queue_task_done(queue));  // of what was taken before
  for (int i = 0; i < kConsumers; i++) CHECK_EQ(TakeCode(processes[i]), 0);
  CHECK_OK(mproc_queue_destroy(queue));
}

// ---- S27: nothing but put and get

static void InTheOrderOfTheProducer(void) {
  mproc_queue_t* queue = NewQueue(0, 0);
  CHECK_EQ(ItemsIn(queue), 0);
  mproc_process_t* process = StartWithOne(share_put_numbers, 1000, queue);
  for (int64_t i = 0; i < 1000; i++) CHECK_EQ(GetNumber(queue), i);
  CHECK_EQ(TakeCode(process), 0);
  CHECK_EQ(ItemsIn(queue), 0);
  CHECK_OK(mproc_queue_close(queue));
  CHECK_OK(mproc_queue_close(queue));
  CHECK_STATUS(mproc_queue_put(queue, "x", 1, 0), MPROC_ERROR_CLOSED);
  CHECK_OK(mproc_queue_destroy(queue));
}

int main(int argc, char** argv) {
  static const TestCase cases[] = {
      {"S2 hello from a child", HelloFromAChild, 0},
      {"S4 appended under a lock", AppendedUnderALock, 0},
      {"S6 values of three kinds", ValuesOfThreeKinds, 0},
      {"S23 values and arrays", ValuesAndArrays, 0},
      {"S25 full and empty", FullAndEmpty, 0},
      {"S26 joined when all is done", JoinedWhenAllIsDone, 0},
      {"S27 in the order of the producer", InTheOrderOfTheProducer, 0},
  };
  return TEST_MAIN(argc, argv, cases);
}
