// SPDX-License-Identifier: MIT
// The slowest tasks of a pool, with the first bytes of their payloads.
#include "host.h"

enum { kMost = 10, kKept = 64 };

typedef struct {
  int64_t elapsed, task, function, worker, item, items, size;
  unsigned char bytes[kKept];
  size_t kept;
} Slow;

static int64_t Number(mproc_pool_t* pool, size_t index, int32_t which) {
  int64_t value = -1;
  CHECK_OK(mproc_pool_slowest(pool, index, which, &value));
  return value;
}
static Slow SlowAt(mproc_pool_t* pool, size_t index) {
  Slow slow = {.elapsed = Number(pool, index, MPROC_SLOWEST_ELAPSED),
               .task = Number(pool, index, MPROC_SLOWEST_TASK),
               .function = Number(pool, index, MPROC_SLOWEST_FUNCTION),
               .worker = Number(pool, index, MPROC_SLOWEST_WORKER),
               .item = Number(pool, index, MPROC_SLOWEST_ITEM),
               .items = Number(pool, index, MPROC_SLOWEST_ITEMS),
               .size = Number(pool, index, MPROC_SLOWEST_SIZE)};
  CHECK_OK(mproc_pool_slowest_argument(pool, index, slow.bytes, sizeof slow.bytes, &slow.kept));
  return slow;
}
static size_t CountSlow(mproc_pool_t* pool) {
  size_t count = 0;
  int64_t value;
  mproc_status_t status;
  while ((status = mproc_pool_slowest(pool, count, MPROC_SLOWEST_TASK, &value)) == MPROC_OK) count++;
  CHECK_STATUS(status, MPROC_ERROR_END);
  CHECK_STATUS(mproc_pool_slowest_argument(pool, count, NULL, 0, NULL), MPROC_ERROR_END);
  return count;
}
// The one of this task, and of a map of this item: it must be there.
static Slow Find(mproc_pool_t* pool, int64_t task, int64_t item) {
  for (size_t i = 0, count = CountSlow(pool); i < count; i++) {
    Slow slow = SlowAt(pool, i);
    if (slow.task == task && slow.item == item) return slow;
  }
  CHECK(!"noted as slow");
  return (Slow){.task = task};
}
static Slow FindOf(mproc_pool_t* pool, mproc_future_t* future, int64_t item) {
  WaitEnd(future);
  Slow slow = Find(pool, Info(future, MPROC_FUTURE_INFO_TASK_ID), item);
  Release(future);
  return slow;
}
static void CheckBytes(Slow slow, const void* bytes, size_t size) {
  CHECK_EQ(slow.size, size);
  CHECK_EQ(slow.kept, size < kKept ? size : kKept);
  CHECK(memcmp(slow.bytes, bytes, slow.kept) == 0);
}

// Puts into `ids` the tasks, from 1, that a list holds if a full one takes only what is slower by an eighth.
static void Choose(const int64_t* took, int tasks, int64_t* ids) {
  for (int i = 1; i <= tasks; i++) {
    int least = i <= kMost ? i - 1 : 0;
    for (int k = 0; i > kMost && k < kMost; k++) least = took[ids[k]] < took[ids[least]] ? k : least;
    if (i <= kMost || took[i] > took[ids[least]] + took[ids[least]] / 8) ids[least] = i;
  }
}

// However long each took: the list is right by what their futures tell.
static void TheSlowestOfMany(void) {
  enum { kTasks = 60 };
  mproc_pool_t* pool = ReadyPool(1);
  int64_t took[kTasks + 1], chosen[kMost];
  CHECK_EQ(CountSlow(pool), 0);
  for (int i = 1; i <= kTasks; i++) {
    mproc_future_t* future = SubmitWork(pool, fn_sleep, i % 15, i);
    WaitEnd(future);
    CHECK_EQ(Info(future, MPROC_FUTURE_INFO_TASK_ID), i);
    took[i] = Info(future, MPROC_FUTURE_INFO_ELAPSED);
    Release(future);
    if (i <= kMost) CHECK_EQ(CountSlow(pool), i);
  }
  CHECK_EQ(CountSlow(pool), kMost);
  bool listed[kTasks + 1] = {false};
  int64_t last = INT64_MAX;
  for (size_t i = 0; i < kMost; i++) {
    Slow slow = SlowAt(pool, i);
    if (!CHECK(slow.task >= 1 && slow.task <= kTasks && !listed[slow.task])) break;
    listed[slow.task] = true;
    CHECK_EQ(slow.elapsed, took[slow.task]);
    CHECK(slow.elapsed <= last);
    CHECK_EQ(slow.function, fn_sleep);
    CHECK_EQ(slow.worker, 1);
    CHECK_EQ(slow.item, 0);
    CHECK_EQ(slow.items, 1);
    Work work = {slow.task % 15, slow.task};
    CheckBytes(slow, &work, sizeof work);
    last = slow.elapsed;
  }
  Choose(took, kTasks, chosen);
  for (int i = 0; i < kMost; i++) CHECK(listed[chosen[i]]);
  CloseJoinDestroy(pool);
}

// Payloads of each size and place: in the slot, on the heap, in the channel, in a block.
static void PayloadsOfTasks(void) {
  unsigned char bytes[100000];
  for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = PatternAt(i);
  const size_t sizes[] = {0, 1, 33, 64, 80, 81, 1000, sizeof bytes};
  mproc_pool_t* pool = ReadyPool(2);
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    Slow slow = FindOf(pool, Submit(pool, fn_checksum, bytes, sizes[i]), 0);
    CheckBytes(slow, bytes, sizes[i]);
    CHECK_EQ(slow.function, fn_checksum);
    CHECK(slow.worker == 1 || slow.worker == 2);
  }
  CloseJoinDestroy(pool);
  pool = ReadyPool(1);
  mproc_future_t* future = NULL;
  NEED_OK(mproc_pool_submit_borrowed(pool, fn_checksum, bytes, 500, NULL, NULL, MPROC_FOREVER, NULL, NULL,
                                     NULL, &future));
  CheckBytes(FindOf(pool, future, 0), bytes, 500);
  mproc_block_t* block = NULL;
  void* data = NULL;
  NEED_OK(mproc_block_create(4096, &block));
  NEED_OK(mproc_block_data(block, &data, NULL));
  memcpy(data, bytes, 4096);
  NEED_OK(mproc_pool_submit_block(pool, fn_stamp, block, 0, 1000, NULL, NULL, MPROC_FOREVER, NULL, NULL, NULL,
                                  &future));
  Slow slow = FindOf(pool, future, 0);
  CHECK_EQ(slow.bytes[0], (unsigned char)(bytes[0] + 1));  // as the function left it
  slow.bytes[0]--;
  CheckBytes(slow, bytes, 1000);
  CHECK_OK(mproc_block_destroy(block));
  uint32_t bound = 0;
  NEED_OK(mproc_pool_bind(pool, fn_echo, "bound", 5, &bound));
  slow = FindOf(pool, Submit(pool, bound, "x", 1), 0);
  CHECK_EQ(slow.function, fn_echo);
  CheckBytes(slow, "x", 1);
  CHECK_OK(mproc_pool_unbind(pool, bound));
  CloseJoinDestroy(pool);
}

// Of a chunk its first item is told, and that there are more.
static void ItemsOfMaps(void) {
  const void* items[] = {"one", "three", "four", "eleven", "twelve"};
  const size_t sizes[] = {3, 5, 4, 6, 6};
  const uint64_t array[] = {10, 20, 30, 40, 50};
  uint64_t out[5];
  mproc_pool_t* pool = ReadyPool(1);
  mproc_future_t* map = NULL;
  NEED_OK(mproc_pool_map(pool, fn_echo, items, sizes, 5, 3, 0, TestLong(), &map));
  Slow slow = Find(pool, Info(map, MPROC_FUTURE_INFO_TASK_ID), 0);
  CHECK_EQ(slow.items, 3);
  CheckBytes(slow, "onethreefour", 12);
  slow = FindOf(pool, map, 3);
  CHECK_EQ(slow.items, 2);
  CheckBytes(slow, "eleventwelve", 12);
  NEED_OK(mproc_pool_map(pool, fn_echo, items, sizes, 2, 1, 0, TestLong(), &map));
  slow = FindOf(pool, map, 1);
  CHECK_EQ(slow.items, 1);
  CheckBytes(slow, "three", 5);
  NEED_OK(mproc_pool_map_array(pool, fn_echo, array, 8, 5, out, 8, 2, TestLong(), &map));
  slow = FindOf(pool, map, 2);
  CHECK_EQ(slow.items, 2);
  CheckBytes(slow, array + 2, 16);
  CHECK_EQ(CountSlow(pool), 7);
  CloseJoinDestroy(pool);
}

static void ItemsOfLazyMaps(void) {
  const void* items[] = {"one", "three", "four", "same", "alone"};
  const size_t sizes[] = {3, 5, 4, 4, 5};
  mproc_pool_t* pool = ReadyPool(1);
  mproc_imap_t* imap = NULL;
  NEED_OK(mproc_pool_imap_items(pool, fn_echo, items, sizes, 5, 2, 0, 0, 0, &imap));
  for (int i = 0; i < 5; i++) CHECK_OK(mproc_imap_next(imap, TestLong(), NULL, NULL, NULL));
  CHECK_EQ(CountSlow(pool), 3);
  CHECK_OK(mproc_imap_destroy(imap));
  Slow slow = Find(pool, 1, 0);
  CHECK_EQ(slow.items, 2);
  CheckBytes(slow, "onethree", 8);
  slow = Find(pool, 2, 2);
  CHECK_EQ(slow.items, 2);
  CheckBytes(slow, "foursame", 8);
  slow = Find(pool, 3, 4);
  CHECK_EQ(slow.items, 1);
  CheckBytes(slow, "alone", 5);
  CloseJoinDestroy(pool);
}

// What failed, was killed for its time or took its worker along ran for a while, too.
static void TasksWithoutAValue(void) {
  char bytes[300] = "these bytes are in the channel";
  mproc_pool_t* pool = ReadyPool(1);
  CheckBytes(FindOf(pool, SubmitNumber(pool, fn_fail, 7), 0), &(int64_t){7}, 8);
  CheckBytes(FindOf(pool, Submit(pool, fn_abort, bytes, sizeof bytes), 0), bytes, sizeof bytes);
  mproc_task_options_t* options = NULL;
  mproc_future_t* future = NULL;
  Work work = {TestLong() / MPROC_MILLISECOND, 5};
  NEED_OK(mproc_task_options_create(&options));
  NEED_OK(mproc_task_options_set_time_limit(options, 20 * MPROC_MILLISECOND));
  NEED_OK(mproc_task_options_set_grace(options, 0));
  NEED_OK(mproc_pool_submit_with(pool, fn_sleep, &work, sizeof work, options, &future));
  NEED_OK(mproc_task_options_destroy(options));
  WaitEnd(future);
  CHECK_EQ(Outcome(future), MPROC_OUTCOME_TIMED_OUT);
  int64_t took = Info(future, MPROC_FUTURE_INFO_ELAPSED);
  Slow slow = FindOf(pool, future, 0);
  CheckBytes(slow, &work, sizeof work);
  CHECK_EQ(slow.elapsed, took);
  CHECK(slow.elapsed >= 20 * MPROC_MILLISECOND);
  CHECK_EQ(slow.worker, 2);
  CloseJoinDestroy(pool);
}

static void TheDumpTellsThem(void) {
  static char text[1 << 16];
  const void* items[] = {"one", "two\n"};
  const size_t sizes[] = {3, 4};
  mproc_pool_t* pool = ReadyPool(1);
  NEED_OK(mproc_pool_dump(pool, text, sizeof text, NULL));
  CHECK(!strstr(text, "slowest"));
  TakeNumber(SubmitNumber(pool, fn_square, '7'));
  mproc_future_t* map = NULL;
  NEED_OK(mproc_pool_map(pool, fn_echo, items, sizes, 2, 2, 0, TestLong(), &map));
  Release(map);
  NEED_OK(mproc_pool_dump(pool, text, sizeof text, NULL));
  CHECK_HAS(text, "slowest tasks:\n");
  CHECK_HAS(text,
            "ms: task 1, function 29 'square', worker 1, 8 bytes \"7\\x00\\x00\\x00\\x00\\x00\\x00\\x00\"\n");
  CHECK_HAS(text, "ms: task 2, function 2 'echo', worker 1, item 0 and 1 more, 7 bytes \"onetwo\\x0a\"\n");
  CloseJoinDestroy(pool);
}

static void BadQuestions(void) {
  mproc_pool_t* pool = ReadyPool(1);
  int64_t value = 0;
  size_t size = 0;
  char bytes[8] = "";
  TakeNumber(SubmitNumber(pool, fn_square, 3));
  CHECK_STATUS(mproc_pool_slowest(pool, 0, 0, &value), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_pool_slowest(pool, 0, 8, &value), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_pool_slowest(pool, 0, 1, NULL), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_pool_slowest(pool, 1, 1, &value), MPROC_ERROR_END);
  CHECK_STATUS(mproc_pool_slowest(pool, SIZE_MAX, 1, &value), MPROC_ERROR_END);
  CHECK_STATUS(mproc_pool_slowest_argument(pool, 0, NULL, 8, &size), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_pool_slowest_argument(pool, 0, bytes, 7, &size), MPROC_ERROR_BUFFER_TOO_SMALL);
  CHECK_EQ(size, 8);
  CHECK_EQ(bytes[0], 0);
  CHECK_OK(mproc_pool_slowest_argument(pool, 0, bytes, 8, NULL));
  CHECK_EQ(bytes[0], 3);
  CHECK_OK(mproc_pool_close(pool));
  CHECK_OK(mproc_pool_join(pool, TestLong()));
  CHECK_EQ(SlowAt(pool, 0).bytes[0], 3);  // also after the end
  CHECK_OK(mproc_pool_destroy(pool));
  CHECK_STATUS(mproc_pool_slowest(pool, 0, 1, &value), MPROC_ERROR_STALE_HANDLE);
}

int main(int argc, char** argv) {
  static const TestCase cases[] = {
      {"the slowest of many", TheSlowestOfMany, 0},
      {"payloads of tasks", PayloadsOfTasks, 0},
      {"items of maps", ItemsOfMaps, 0},
      {"items of lazy maps", ItemsOfLazyMaps, 0},
      {"tasks without a value", TasksWithoutAValue, 0},
      {"the dump tells them", TheDumpTellsThem, 0},
      {"bad questions", BadQuestions, 0},
  };
  return TEST_MAIN(argc, argv, cases);
}
