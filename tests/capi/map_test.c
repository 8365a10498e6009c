// SPDX-License-Identifier: MIT
// Maps over byte items and over arrays: chunks, order, failing items, cancelling, lost chunks.
#include <pthread.h>

#include "host.h"

// Items that are numbers.
typedef struct {
  int64_t values[4096];
  const void* items[4096];
  size_t sizes[4096];
} Numbers;
static Numbers g_numbers;

static void Fill(int count) {
  for (int i = 0; i < count; i++) {
    g_numbers.values[i] = i;
    g_numbers.items[i] = &g_numbers.values[i];
    g_numbers.sizes[i] = sizeof g_numbers.values[i];
  }
}
static mproc_future_t* Map(mproc_pool_t* pool, uint32_t function, int count, int64_t chunk, int32_t mode) {
  mproc_future_t* future = NULL;
  NEED_OK(mproc_pool_map(pool, function, g_numbers.items, g_numbers.sizes, (size_t)count, chunk, mode,
                         TestLong(), &future));
  return future;
}
static mproc_future_t* StartMap(mproc_pool_t* pool, uint32_t function, int count, int64_t chunk,
                                int32_t mode) {
  mproc_future_t* future = NULL;
  NEED_OK(mproc_pool_map_async(pool, function, g_numbers.items, g_numbers.sizes, (size_t)count, chunk, mode,
                               NULL, NULL, NULL, &future));
  return future;
}
// Status of an item; a value must be the square of its index.
static int32_t CheckItem(mproc_future_t* future, size_t index) {
  const void* data = NULL;
  const char* text = NULL;
  size_t size = 0;
  int64_t square = -1;
  int32_t status = mproc_future_item(future, index, &data, &size);
  CHECK_STATUS(mproc_future_item_error_message(future, index, &text),
               status ? MPROC_OK : MPROC_ERROR_NO_ERROR);
  if (status != MPROC_OK) {
    CHECK(text && *text);
    return status;
  }
  if (CHECK_EQ(size, sizeof square)) memcpy(&square, data, sizeof square);
  CHECK_EQ(square, (int64_t)(index * index));
  return status;
}

// ---- chunks and order

static void EveryChunkSizeGivesTheSame(void) {
  const int64_t chunks[] = {1, 2, 3, 7, 99, 100, 101, 1000000, INT64_MAX, MPROC_CHUNK_AUTO};
  const int counts[] = {1, 2, 100};
  mproc_pool_t* pool = ReadyPool(3);
  Fill(100);
  for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++) {
    for (size_t i = 0; i < sizeof chunks / sizeof chunks[0]; i++) {
      mproc_future_t* future = Map(pool, fn_square, counts[c], chunks[i], (int32_t)(i % 2));
      size_t count = 0;
      CHECK_STATUS(mproc_future_error(future), MPROC_OK);
      CHECK_OK(mproc_future_item_count(future, &count));
      CHECK_EQ(count, counts[c]);
      for (int k = 0; k < counts[c]; k++) CHECK_STATUS(CheckItem(future, (size_t)k), MPROC_OK);
      Release(future);
    }
  }
  CHECK_EQ(Begun(99), 10);
  CHECK_EQ(Begun(0), 30);
  CloseJoinDestroy(pool);
}

// How many tasks a map of `count` items becomes, by who saw which item index together with which task id.
static int Chunks(mproc_pool_t* pool, int count, int64_t chunk) {
  static About abouts[4096];
  mproc_future_t* future = NULL;
  int chunks = 0;
  NEED_OK(mproc_pool_map_array(pool, fn_about, g_numbers.values, sizeof g_numbers.values[0], (size_t)count,
                               abouts, sizeof abouts[0], chunk, TestLong(), &future));
  for (int i = 0; i < count; i++) {
    CHECK_EQ(abouts[i].item, i);
    CHECK_EQ(abouts[i].function, fn_about);
    chunks += i == 0 || abouts[i].task != abouts[i - 1].task;
  }
  Release(future);
  return chunks;
}
static void ChunkRule(void) {
  mproc_pool_t* pool = ReadyPool(2);
  Fill(1000);
  CHECK_EQ(Chunks(pool, 1000, 1), 1000);
  CHECK_EQ(Chunks(pool, 1000, 300), 4);
  CHECK_EQ(Chunks(pool, 1000, 1000), 1);
  CHECK_EQ(Chunks(pool, 1000, 5000), 1);
  CloseJoinDestroy(pool);
}

static void ItemsKnowTheirIndex(void) {
  mproc_pool_t* pool = ReadyPool(2);
  Fill(50);
  for (int64_t chunk = 1; chunk < 30; chunk += 14) {
    mproc_future_t* future = Map(pool, fn_about, 50, chunk, MPROC_MAP_STOP_CHUNK);
    for (size_t i = 0; i < 50; i++) {
      const void* data = NULL;
      size_t size = 0;
      About about = {.item = 99};
      if (CHECK_OK(mproc_future_item(future, i, &data, &size)) && CHECK_EQ(size, sizeof about)) {
        memcpy(&about, data, size);
      }
      CHECK_EQ(about.item, i);
    }
    Release(future);
  }
  CloseJoinDestroy(pool);
}

// ---- random numbers

// What is drawn depends on the item, on nothing else.
static void DrawsAreReproducible(void) {
  enum { kItems = 100 };
  int64_t drawn[kItems];
  const int64_t chunks[] = {1, 7, kItems};
  mproc_pool_t* pool = ReadyPool(2);
  for (int way = 0; way < 3; way++) {
    mproc_future_t* map = NULL;
    NEED_OK(mproc_pool_map_array(pool, fn_draw, drawn, 0, kItems, drawn, sizeof *drawn, chunks[way],
                                 TestLong(), &map));
    CHECK_OK(mproc_future_error(map));
    for (uint64_t i = 0; i < kItems; i++) {
      CHECK_EQ(drawn[i], (int64_t)mproc_random_seed(2026, i));
      for (uint64_t k = 0; k < i; k++) CHECK(drawn[i] != drawn[k]);
    }
    Release(map);
  }
  // Written down once: they never change.
  CHECK(mproc_random_seed(0, 0) == UINT64_C(0xa706dd2f4d197e6f));
  CHECK(mproc_random_seed(2026, 1) != mproc_random_seed(2027, 0));
  CloseJoinDestroy(pool);
}

static void WrongArgumentsAreRefused(void) {
  mproc_future_t* future = NULL;
  int64_t input[4] = {0}, output[4];
  size_t index = 0, size;
  const void* data;
  const char* text;
  mproc_pool_t* pool = ReadyPool(1);
  Fill(4);
  const int64_t chunks[] = {0, -1, -100, INT64_MIN + 1};
  const int32_t invalid = MPROC_ERROR_INVALID_ARGUMENT;
  for (int i = 0; i < 4; i++) {
    CHECK_STATUS(
        mproc_pool_map(pool, fn_square, g_numbers.items, g_numbers.sizes, 4, chunks[i], 0, 0, &future),
        invalid);
    CHECK_STATUS(mproc_pool_map_async(pool, fn_square, g_numbers.items, g_numbers.sizes, 4, chunks[i], 0,
                                      NULL, NULL, NULL, &future),
                 invalid);
    CHECK_STATUS(mproc_pool_map_array(pool, fn_square, input, 8, 4, output, 8, chunks[i], 0, &future),
                 invalid);
    CHECK_STATUS(mproc_pool_map_array_async(pool, fn_square, input, 8, 4, output, 8, chunks[i], NULL, NULL,
                                            NULL, &future),
                 invalid);
    CHECK_STATUS(mproc_pool_map(pool, fn_square, NULL, NULL, 0, chunks[i], 0, 0, &future), invalid);
  }
  CHECK_STATUS(mproc_pool_map(pool, fn_square, g_numbers.items, g_numbers.sizes, 4, 1, 2, 0, &future),
               invalid);
  CHECK_STATUS(mproc_pool_map(pool, fn_square, g_numbers.items, g_numbers.sizes, 4, 1, -1, 0, &future),
               invalid);
  CHECK_STATUS(mproc_pool_map(pool, fn_square, NULL, g_numbers.sizes, 4, 1, 0, 0, &future), invalid);
  CHECK_STATUS(mproc_pool_map(pool, fn_square, g_numbers.items, g_numbers.sizes, 4, 1, 0, 0, NULL), invalid);
  const void* holes[2] = {input, NULL};
  CHECK_STATUS(mproc_pool_map(pool, fn_square, holes, g_numbers.sizes, 2, 1, 0, 0, &future), invalid);
  CHECK_STATUS(mproc_pool_map_array(pool, fn_square, NULL, 8, 4, output, 8, 1, 0, &future), invalid);
  CHECK_STATUS(mproc_pool_map_array(pool, fn_square, input, 8, 4, NULL, 8, 1, 0, &future), invalid);
  CHECK_STATUS(mproc_pool_map_array(pool, fn_square, input, 8, 4, output, 8, 1, 0, NULL), invalid);
  CHECK_STATUS(mproc_pool_map_array(pool, fn_square, input, SIZE_MAX / 2, 4, output, 8, 1, 0, &future),
               MPROC_ERROR_TOO_LARGE);
  CHECK_STATUS(mproc_pool_map_array(pool, fn_square, input, 8, SIZE_MAX, output, 8, 1, 0, &future),
               MPROC_ERROR_TOO_LARGE);
  CHECK(future == NULL);
  CHECK_EQ(CountBegun(0, 4), 0);
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_SUBMITTED), 0);
  future = Map(pool, fn_square, 4, 2, 0);
  CHECK_STATUS(mproc_future_result(future, &data, &size), invalid);  // results of a map are read by item
  CHECK_STATUS(mproc_future_copy_result(future, input, sizeof input, &size), invalid);
  CHECK_STATUS(mproc_future_item(future, 4, &data, &size), invalid);
  CHECK_STATUS(mproc_future_item(future, SIZE_MAX, &data, &size), invalid);
  CHECK_STATUS(mproc_future_item(future, 0, NULL, &size), invalid);
  CHECK_STATUS(mproc_future_item(future, 0, &data, NULL), invalid);
  CHECK_STATUS(mproc_future_item_error_message(future, 4, &text), invalid);
  CHECK_STATUS(mproc_future_item_error_message(future, 0, NULL), invalid);
  CHECK_OK(mproc_future_wait_any(&future, 1, 0, &index));
  Release(future);
  future = NULL;
  CHECK_OK(mproc_pool_map_array(pool, fn_square, g_numbers.values, 8, 4, output, 8, 2, TestLong(), &future));
  CHECK_STATUS(mproc_future_item(future, 0, &data, &size), invalid);  // an array map has its output array
  CHECK_STATUS(mproc_future_item_error_message(future, 0, &text), invalid);
  CHECK_OK(mproc_future_item_count(future, &size));
  CHECK_EQ(size, 4);
  Release(future);
  CloseJoinDestroy(pool);
}

// ---- nothing to do

static atomic_int g_values, g_errors;
static void OnValue(mproc_future_t* future, void* user_data) {
  CHECK(user_data == &g_values);
  CHECK_EQ(Outcome(future), MPROC_OUTCOME_VALUE);
  atomic_fetch_add(&g_values, 1);
}
static void OnError(mproc_future_t* future, void* user_data) {
  CHECK(user_data == &g_values);
  CHECK(Outcome(future) > MPROC_OUTCOME_VALUE);
  atomic_fetch_add(&g_errors, 1);
}

static void MapOfNothing(void) {
  mproc_future_t* future = NULL;
  size_t count = 9;
  const void* data;
  mproc_pool_t* pool = ReadyPool(2);
  CHECK_OK(mproc_pool_map(pool, fn_square, NULL, NULL, 0, MPROC_CHUNK_AUTO, 0, 0, &future));
  CHECK_OK(mproc_future_ready(future));
  CHECK_EQ(Outcome(future), MPROC_OUTCOME_VALUE);
  CHECK_OK(mproc_future_item_count(future, &count));
  CHECK_EQ(count, 0);
  CHECK_STATUS(mproc_future_item(future, 0, &data, &count), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_future_cancel(future), MPROC_ERROR_ALREADY_STARTED);
  Release(future);
  CHECK_OK(mproc_pool_map_array(pool, fn_square, NULL, 8, 0, NULL, 8, 3, 0, &future));
  CHECK_OK(mproc_future_ready(future));
  Release(future);
  CHECK_OK(mproc_pool_map_async(pool, fn_square, NULL, NULL, 0, 1, 0, OnValue, OnError, &g_values, &future));
  CHECK_OK(mproc_future_wait(future, TestLong()));
  CHECK_EQ(g_values, 1);
  Release(future);
  CHECK_OK(
      mproc_pool_map_array_async(pool, fn_square, NULL, 0, 0, NULL, 0, 1, OnValue, OnError, &g_values, NULL));
  CloseJoinDestroy(pool);
  CHECK_EQ(g_values, 2);
  CHECK_EQ(g_errors, 0);
}

static void ItemsOfNoBytes(void) {
  mproc_future_t* future = NULL;
  mproc_pool_t* pool = ReadyPool(2);
  for (int64_t chunk = 1; chunk <= 8; chunk += 7) {
    NEED_OK(mproc_pool_map(pool, fn_echo, NULL, NULL, 20, chunk, 0, TestLong(), &future));
    for (size_t i = 0; i < 20; i++) {
      const void* data;
      size_t size = 9;
      CHECK_OK(mproc_future_item(future, i, &data, &size));
      CHECK_EQ(size, 0);
    }
    Release(future);
    // Functions never get a null pointer.
    NEED_OK(mproc_pool_map(pool, fn_pile, NULL, NULL, 20, chunk, 0, TestLong(), &future));
    for (size_t i = 0; i < 20; i++) {
      const void* data;
      size_t size = 0;
      int64_t where = -2;
      CHECK_OK(mproc_future_item(future, i, &data, &size));
      if (CHECK_EQ(size, 8)) memcpy(&where, data, 8);
      CHECK(where >= 0);
    }
    Release(future);
    NEED_OK(mproc_pool_map_array(pool, fn_noop, NULL, 0, 1000, NULL, 0, chunk, TestLong(), &future));
    CHECK_STATUS(mproc_future_error(future), MPROC_OK);
    Release(future);
  }
  CloseJoinDestroy(pool);
}

// ---- items that fail

static void RestOfAFailingChunkIsNotRun(void) {
  mproc_pool_t* pool = ReadyPool(2);
  Fill(20);
  g_numbers.values[7] = -31;  // of the chunk 5..9
  mproc_future_t* future = Map(pool, fn_square, 20, 5, MPROC_MAP_STOP_CHUNK);
  CHECK_STATUS(mproc_future_error(future), MPROC_ERROR_TASK);
  CHECK_EQ(Info(future, MPROC_FUTURE_INFO_FAILED_ITEM), 7);
  CHECK_EQ(Info(future, MPROC_FUTURE_INFO_ERROR_CODE), 31);
  CHECK_HAS(Message(future), "negative");
  for (size_t i = 0; i < 20; i++) {
    int32_t status = CheckItem(future, i);
    CHECK_STATUS(status, i == 7 ? MPROC_ERROR_TASK : i == 8 || i == 9 ? MPROC_ERROR_NOT_RUN : MPROC_OK);
    CHECK_EQ(Begun((int64_t)i), status == MPROC_OK);
  }
  const char* text = NULL;
  CHECK_OK(mproc_future_item_error_message(future, 7, &text));
  CHECK_HAS(text, "negative");
  CHECK_OK(mproc_future_item_error_message(future, 8, &text));
  CHECK_HAS(text, "chunk");
  Release(future);
  CloseJoinDestroy(pool);
}

static void KeepGoingRunsEveryItem(void) {
  mproc_pool_t* pool = ReadyPool(2);
  for (int64_t chunk = 1; chunk <= 21; chunk += 10) {
    Fill(20);
    for (int i = 3; i < 20; i += 5) g_numbers.values[i] = -i;
    mproc_future_t* future = Map(pool, fn_square, 20, chunk, MPROC_MAP_KEEP_GOING);
    CHECK_STATUS(mproc_future_error(future), MPROC_ERROR_TASK);
    int64_t item = Info(future, MPROC_FUTURE_INFO_FAILED_ITEM);
    CHECK_EQ(item % 5, 3);
    CHECK_EQ(Info(future, MPROC_FUTURE_INFO_ERROR_CODE), item);
    for (size_t i = 0; i < 20; i++) {
      CHECK_STATUS(CheckItem(future, i), i % 5 == 3 ? MPROC_ERROR_TASK : MPROC_OK);
    }
    Release(future);
  }
  CHECK_EQ(Begun(4), 3);
  CloseJoinDestroy(pool);
}

// The error that arrived first is the map's, whatever its index.
static void FirstErrorByTime(void) {
  Work works[2];
  const void* items[2];
  size_t sizes[2];
  mproc_future_t* future = NULL;
  mproc_pool_t* pool = ReadyPool(2);
  WarmUp(pool, 2);
  for (int i = 0; i < 2; i++) items[i] = &works[i], sizes[i] = sizeof works[i];
  for (int round = 0; round < 2; round++) {
    int early = round, late = 1 - round;  // both begin at once; the early one fails first
    works[late] = (Work){0, 10 * round + late};
    works[early] = (Work){0, 10 * round + early};
    NEED_OK(mproc_pool_map_async(pool, fn_gate, items, sizes, 2, 1, 0, NULL, NULL, NULL, &future));
    NEED_SOON(CountBegun(10 * round, 2) == 2);
    TestKill((pid_t)atomic_load(&g_board->pid[10 * round + early]), SIGKILL);
    NEED_SOON(Statistic(pool, MPROC_POOL_STATISTIC_DEATHS) == (uint64_t)(2 * round + 1));
    TestKill((pid_t)atomic_load(&g_board->pid[10 * round + late]), SIGTERM);
    WaitEnd(future);
    CHECK_STATUS(mproc_future_error(future), MPROC_ERROR_WORKER_LOST);
    CHECK_EQ(Info(future, MPROC_FUTURE_INFO_FAILED_ITEM), early);
    CHECK_EQ(Info(future, MPROC_FUTURE_INFO_SIGNAL), SIGKILL);
    CHECK_EQ(Info(future, MPROC_FUTURE_INFO_WORKER_PID), atomic_load(&g_board->pid[10 * round + early]));
    Release(future);
    CHECK_OK(mproc_pool_wait_ready(pool, TestLong()));
  }
  CloseJoinDestroy(pool);
}

static void ArrayMapLeavesFailedPlacesUntouched(void) {
  int64_t output[20];
  mproc_future_t* future = NULL;
  mproc_pool_t* pool = ReadyPool(2);
  Fill(20);
  g_numbers.values[7] = -31;
  memset(output, 0x55, sizeof output);
  NEED_OK(mproc_pool_map_array(pool, fn_square, g_numbers.values, 8, 20, output, 8, 5, TestLong(), &future));
  CHECK_STATUS(mproc_future_error(future), MPROC_ERROR_TASK);
  CHECK_EQ(Info(future, MPROC_FUTURE_INFO_FAILED_ITEM), 7);
  CHECK_EQ(Info(future, MPROC_FUTURE_INFO_ERROR_CODE), 31);
  for (int i = 0; i < 20; i++) CHECK_EQ(output[i], i >= 7 && i <= 9 ? 0x5555555555555555 : i * i);
  Release(future);
  CloseJoinDestroy(pool);
}

static void ArrayMapTakesValuesOfTheStrideOnly(void) {
  unsigned char output[8][16];
  int64_t input[8] = {16, 16, 16, 15, 16, 17, 16, 16};
  mproc_future_t* future = NULL;
  mproc_pool_t* pool = ReadyPool(1);
  memset(output, 0x55, sizeof output);
  NEED_OK(mproc_pool_map_array(pool, fn_resize, input, 8, 8, output, 16, 1, TestLong(), &future));
  CHECK_STATUS(mproc_future_error(future), MPROC_ERROR_TASK);
  CHECK_EQ(Info(future, MPROC_FUTURE_INFO_FAILED_ITEM), 3);
  CHECK_EQ(Info(future, MPROC_FUTURE_INFO_ERROR_CODE), MPROC_ERROR_TOO_LARGE);
  for (int i = 0; i < 8; i++) CHECK_EQ(output[i][15], input[i] == 16 ? 0 : 0x55);
  Release(future);
  // No reply at all is no value of 16 bytes, either.
  NEED_OK(mproc_pool_map_array(pool, fn_noop, input, 8, 8, output, 16, 4, TestLong(), &future));
  CHECK_STATUS(mproc_future_error(future), MPROC_ERROR_TASK);
  CHECK_EQ(Info(future, MPROC_FUTURE_INFO_FAILED_ITEM), 0);
  Release(future);
  CloseJoinDestroy(pool);
}

// ---- size

static void LargeItems(void) {
  enum { kItems = 12, kStep = 250001 };
  static const void* items[kItems];
  static size_t sizes[kItems];
  mproc_future_t* future = NULL;
  mproc_pool_t* pool = ReadyPool(2);
  unsigned char* bytes = malloc((size_t)kItems * kStep);
  NEED(bytes != NULL);
  for (size_t i = 0; i < (size_t)kItems * kStep; i++) bytes[i] = PatternAt(i);
  for (int i = 0; i < kItems; i++) {
    items[i] = bytes + i * 100;
    sizes[i] = (size_t)i * kStep;  // 0 to 2.6 MiB
  }
  for (int64_t chunk = 1; chunk <= 5; chunk += 2) {
    NEED_OK(mproc_pool_map(pool, fn_checksum, items, sizes, kItems, chunk, 0, TestLong(), &future));
    for (size_t i = 0; i < kItems; i++) {
      const void* data = NULL;
      size_t size = 0;
      Sum sum = {0, 0}, wanted = SumOf(items[i], sizes[i]);
      CHECK_OK(mproc_future_item(future, i, &data, &size));
      if (CHECK_EQ(size, sizeof sum)) memcpy(&sum, data, size);
      CHECK(sum.size == wanted.size && sum.sum == wanted.sum);
    }
    Release(future);
    NEED_OK(mproc_pool_map(pool, fn_echo, items, sizes, kItems, chunk, 0, TestLong(), &future));
    for (size_t i = 0; i < kItems; i++) {
      const void* data = NULL;
      size_t size = 0;
      CHECK_OK(mproc_future_item(future, i, &data, &size));
      if (CHECK(size == sizes[i] && data != NULL)) CHECK(memcmp(data, items[i], size) == 0);
    }
    Release(future);
  }
  CloseJoinDestroy(pool);
  free(bytes);
}

static void LargeArray(void) {
  enum { kItems = 200000 };
  int64_t* input = malloc(kItems * sizeof *input);
  int64_t* output = malloc(kItems * sizeof *output);
  mproc_future_t* future = NULL;
  mproc_pool_t* pool = ReadyPool(3);
  NEED(input && output);
  for (int i = 0; i < kItems; i++) input[i] = i;
  const int64_t chunks[] = {MPROC_CHUNK_AUTO, 1000, 37, 1};
  for (int c = 0; c < 4; c++) {
    int items = chunks[c] == 1 ? 20000 : kItems;
    memset(output, 0xff, kItems * sizeof *output);
    NEED_OK(mproc_pool_map_array(pool, fn_square, input, 8, (size_t)items, output, 8, chunks[c], TestLong(),
                                 &future));
    CHECK_STATUS(mproc_future_error(future), MPROC_OK);
    int wrong = 0;
    for (int64_t i = 0; i < items; i++) wrong += output[i] != i * i;
    CHECK_EQ(wrong, 0);
    Release(future);
  }
  CloseJoinDestroy(pool);
  free(input);
  free(output);
}

// ---- waiting and cancelling

static void BytesAreCopiedArraysBorrowed(void) {
  char item[] = "before";
  const void* items[2] = {item, item};
  size_t sizes[2] = {6, 3};
  Work works[3] = {{0, 1}, {0, 2}, {0, 3}};
  mproc_future_t *gate, *future = NULL;
  mproc_pool_t* pool = ReadyPool(1);
  gate = SubmitWork(pool, fn_gate, 0, 0);
  NEED_OK(mproc_pool_map_async(pool, fn_echo, items, sizes, 2, 1, 0, NULL, NULL, NULL, &future));
  memcpy(item, "after!", 6);
  items[0] = items[1] = NULL;
  sizes[0] = sizes[1] = 99;
  OpenGate(0);
  WaitEnd(future);
  const void* data = NULL;
  size_t size = 0;
  CHECK_OK(mproc_future_item(future, 0, &data, &size));
  CHECK(size == 6 && memcmp(data, "before", 6) == 0);
  CHECK_OK(mproc_future_item(future, 1, &data, &size));
  CHECK(size == 3 && memcmp(data, "bef", 3) == 0);
  Release(future);
  Release(gate);
  // A time-out leaves the map running, and its future with the caller.
  Report reports[3];
  CHECK_STATUS(mproc_pool_map_array(pool, fn_gate, works, sizeof works[0], 3, reports, sizeof reports[0], 1,
                                    30 * MPROC_MILLISECOND, &future),
               MPROC_ERROR_TIMED_OUT);
  NEED(future != NULL);
  CHECK_STATUS(mproc_future_ready(future), MPROC_ERROR_NOT_READY);
  CHECK_STATUS(mproc_future_cancel(future), MPROC_OK);  // two of its three
  OpenAllGates();
  WaitEnd(future);
  CHECK_STATUS(mproc_future_error(future), MPROC_ERROR_CANCELLED);
  CHECK_EQ(CountBegun(1, 3), 1);
  CHECK_EQ(reports[0].value, 1);
  Release(future);
  CHECK_STATUS(mproc_pool_map(pool, fn_gate, NULL, NULL, 0, 1, 0, -1, &future), MPROC_OK);
  Release(future);
  CloseJoinDestroy(pool);
}

static void CancelEndsWhatHasNotBegun(void) {
  enum { kItems = 100 };
  Work works[kItems];
  const void* items[kItems];
  size_t sizes[kItems];
  mproc_future_t* future = NULL;
  mproc_pool_t* pool = ReadyPool(2);
  for (int i = 0; i < kItems; i++) works[i] = (Work){0, i}, items[i] = &works[i], sizes[i] = sizeof works[i];
  NEED_OK(
      mproc_pool_map_async(pool, fn_gate, items, sizes, kItems, 5, 0, OnValue, OnError, &g_values, &future));
  NEED_SOON(CountBegun(0, kItems) == 2);
  CHECK_OK(mproc_future_cancel(future));
  CHECK_STATUS(mproc_future_ready(future), MPROC_ERROR_NOT_READY);  // two chunks still run
  CHECK_STATUS(mproc_future_cancel(future), MPROC_ERROR_ALREADY_STARTED);
  CHECK_EQ(g_errors, 0);
  OpenAllGates();
  WaitEnd(future);
  CHECK_EQ(g_errors, 1);
  CHECK_EQ(g_values, 0);
  CHECK_STATUS(mproc_future_error(future), MPROC_ERROR_CANCELLED);
  CHECK_EQ(Info(future, MPROC_FUTURE_INFO_CAUSE), MPROC_CAUSE_CALL);
  CHECK_EQ(CountBegun(0, kItems), 10);
  for (size_t i = 0; i < kItems; i++) {
    const void* data;
    const char* text = NULL;
    size_t size;
    int32_t status = mproc_future_item(future, i, &data, &size);
    CHECK_STATUS(status, Begun((int64_t)i) ? MPROC_OK : MPROC_ERROR_CANCELLED);
    if (status) {
      CHECK_OK(mproc_future_item_error_message(future, i, &text));
      CHECK_HAS(text, "cancel");
    }
  }
  Release(future);
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_QUEUED), 0);
  Fill(10);
  future = Map(pool, fn_square, 10, 2, 0);  // and the pool goes on
  CHECK_STATUS(mproc_future_error(future), MPROC_OK);
  Release(future);
  // Wholly queued: cancelled at once.
  mproc_future_t* gates[2] = {SubmitWork(pool, fn_gate, 0, 1000), SubmitWork(pool, fn_gate, 0, 1001)};
  CHECK_OK(mproc_future_wait_all(gates, 2, TestLong()));
  atomic_store(&g_board->all_open, 0);
  for (int i = 0; i < 2; i++) Release(gates[i]), gates[i] = SubmitWork(pool, fn_gate, 0, 1002 + i);
  NEED_SOON(CountBegun(1002, 2) == 2);
  future = StartMap(pool, fn_square, 10, 2, 0);
  CHECK_OK(mproc_future_cancel(future));
  CHECK_OK(mproc_future_ready(future));
  CHECK_STATUS(mproc_future_error(future), MPROC_ERROR_CANCELLED);
  for (size_t i = 0; i < 10; i++) CHECK_STATUS(CheckItem(future, i), MPROC_ERROR_CANCELLED);
  Release(future);
  OpenAllGates();
  for (int i = 0; i < 2; i++) TakeReport(gates[i]);
  CloseJoinDestroy(pool);
}

static void CallbacksOncePerMap(void) {
  mproc_future_t* future = NULL;
  int64_t output[100];
  mproc_pool_t* pool = ReadyPool(2);
  Fill(100);
  NEED_OK(mproc_pool_map_async(pool, fn_square, g_numbers.items, g_numbers.sizes, 100, 3, 0, OnValue, OnError,
                               &g_values, &future));
  WaitEnd(future);
  CHECK_EQ(g_values, 1);
  Release(future);
  NEED_OK(mproc_pool_map_array_async(pool, fn_square, g_numbers.values, 8, 100, output, 8, 3, OnValue,
                                     OnError, &g_values, &future));
  WaitEnd(future);
  CHECK_EQ(g_values, 2);
  Release(future);
  for (int i = 0; i < 100; i += 9) g_numbers.values[i] = -1 - i;
  for (int32_t mode = 0; mode < 2; mode++) {
    NEED_OK(mproc_pool_map_async(pool, fn_square, g_numbers.items, g_numbers.sizes, 100, 3, mode, OnValue,
                                 OnError, &g_values, &future));
    WaitEnd(future);
    CHECK_EQ(g_values, 2);
    CHECK_EQ(g_errors, 1 + mode);
    Release(future);
  }
  NEED_OK(mproc_pool_map_async(pool, fn_square, g_numbers.items, g_numbers.sizes, 100, 3, 0, OnValue, OnError,
                               &g_values, NULL));
  CloseJoinDestroy(pool);
  CHECK_EQ(g_errors, 3);
  CHECK_EQ(g_values, 2);
}

static void MapsShareThePool(void) {
  mproc_future_t *maps[5], *tasks[50];
  mproc_pool_t* pool = ReadyPool(3);
  Fill(200);
  for (int i = 0; i < 5; i++) {
    maps[i] = StartMap(pool, fn_square, 200, 1 + 10 * i, 0);
    for (int k = 0; k < 10; k++) tasks[10 * i + k] = SubmitNumber(pool, fn_square, 10 * i + k);
  }
  for (int i = 0; i < 50; i++) CHECK_EQ(TakeNumber(tasks[i]), i * i);
  CHECK_OK(mproc_future_wait_all(maps, 5, TestLong()));
  for (int i = 0; i < 5; i++) {
    for (size_t k = 0; k < 200; k++) CHECK_STATUS(CheckItem(maps[i], k), MPROC_OK);
    Release(maps[i]);
  }
  CloseJoinDestroy(pool);
}

static void QueueBoundsTakeAMapWhole(void) {
  mproc_pool_options_t* options = Options(1);
  NEED_OK(mproc_pool_options_set_queue_limits(options, 3, 0));
  mproc_pool_t* pool = ReadyWith(options);
  Fill(100);
  mproc_future_t* gate = SubmitWork(pool, fn_gate, 0, 1000);
  NEED_SOON(Begun(1000) == 1);
  mproc_future_t* map = StartMap(pool, fn_square, 100, 1, 0);
  mproc_future_t* future = NULL;
  CHECK_STATUS(mproc_pool_submit(pool, fn_square, g_numbers.items[5], 8, 0, &future), MPROC_ERROR_QUEUE_FULL);
  CHECK(Statistic(pool, MPROC_POOL_STATISTIC_QUEUED) == 100);
  OpenGate(1000);
  NEED_OK(mproc_pool_submit(pool, fn_square, g_numbers.items[5], 8, MPROC_FOREVER, &future));
  CHECK_EQ(TakeNumber(future), 25);
  WaitEnd(map);
  for (size_t k = 0; k < 100; k++) CHECK_STATUS(CheckItem(map, k), MPROC_OK);
  Release(map);
  TakeReport(gate);
  CloseJoinDestroy(pool);
}

// ---- deaths

static void OnlyTheLostChunkIsLost(void) {
  mproc_pool_t* pool = ReadyPool(2);
  Fill(30);
  mproc_future_t* future = Map(pool, fn_lottery, 30, 5, MPROC_MAP_KEEP_GOING);  // item 13 kills its worker
  CHECK_STATUS(mproc_future_error(future), MPROC_ERROR_WORKER_LOST);
  CHECK_EQ(Info(future, MPROC_FUTURE_INFO_SIGNAL), SIGKILL);
  CHECK_EQ(Info(future, MPROC_FUTURE_INFO_CAUSE), MPROC_CAUSE_SIGNAL);
  CHECK(Info(future, MPROC_FUTURE_INFO_WORKER_PID) > 1);
  CHECK_HAS(Message(future), "lottery");
  for (size_t i = 0; i < 30; i++) {
    bool lost = i / 5 == 2;
    CHECK_STATUS(CheckItem(future, i), lost ? MPROC_ERROR_WORKER_LOST : MPROC_OK);
    if (!lost) CHECK_EQ(Begun((int64_t)i), 1);
  }
  const char* text = NULL;
  CHECK_OK(mproc_future_item_error_message(future, 11, &text));
  CHECK_HAS(text, "SIGKILL");
  Release(future);
  // Over an array: places of the lost chunk are untouched.
  int64_t output[30];
  memset(output, 0x55, sizeof output);
  NEED_OK(mproc_pool_map_array(pool, fn_lottery, g_numbers.values, 8, 30, output, 8, 5, TestLong(), &future));
  CHECK_STATUS(mproc_future_error(future), MPROC_ERROR_WORKER_LOST);
  for (int i = 0; i < 30; i++) CHECK_EQ(output[i], i / 5 == 2 ? 0x5555555555555555 : i * i);
  Release(future);
  future = Map(pool, fn_square, 30, 4, 0);
  CHECK_STATUS(mproc_future_error(future), MPROC_OK);
  Release(future);
  CloseJoinDestroy(pool);
}

static void TerminatedAndDestroyed(void) {
  Work works[20];
  Report reports[20];
  for (int round = 0; round < 2; round++) {
    mproc_future_t* future = NULL;
    mproc_pool_t* pool = ReadyPool(2);
    for (int i = 0; i < 20; i++) works[i] = (Work){0, 100 * round + i};
    NEED_OK(mproc_pool_map_array_async(pool, fn_gate, works, sizeof works[0], 20, reports, sizeof reports[0],
                                       2, OnValue, OnError, &g_values, &future));
    NEED_SOON(CountBegun(100 * round, 20) == 2);
    if (round == 0) CHECK_OK(mproc_pool_terminate(pool));
    CHECK_OK(mproc_pool_destroy(pool));
    TakeEnd(future, MPROC_OUTCOME_CANCELLED, round ? MPROC_CAUSE_DESTROY : MPROC_CAUSE_TERMINATE);
    CHECK_EQ(g_errors, round + 1);
    CHECK_EQ(CountBegun(100 * round, 20), 2);
  }
  CHECK_EQ(g_values, 0);
}

int main(int argc, char** argv) {
  static const TestCase cases[] = {
      {"every chunk size gives the same", EveryChunkSizeGivesTheSame, 0},
      {"chunk rule", ChunkRule, 0},
      {"items know their index", ItemsKnowTheirIndex, 0},
      {"draws are reproducible", DrawsAreReproducible, 0},
      {"wrong arguments are refused", WrongArgumentsAreRefused, 0},
      {"map of nothing", MapOfNothing, 0},
      {"items of no bytes", ItemsOfNoBytes, 0},
      {"rest of a failing chunk is not run", RestOfAFailingChunkIsNotRun, 0},
      {"keep going runs every item", KeepGoingRunsEveryItem, 0},
      {"first error by time", FirstErrorByTime, 0},
      {"array map leaves failed places untouched", ArrayMapLeavesFailedPlacesUntouched, 0},
      {"array map takes values of the stride only", ArrayMapTakesValuesOfTheStrideOnly, 0},
      {"large items", LargeItems, 0},
      {"large array", LargeArray, 0},
      {"bytes are copied, arrays borrowed", BytesAreCopiedArraysBorrowed, 0},
      {"cancel ends what has not begun", CancelEndsWhatHasNotBegun, 0},
      {"callbacks once per map", CallbacksOncePerMap, 0},
      {"maps share the pool", MapsShareThePool, 0},
      {"queue bounds take a map whole", QueueBoundsTakeAMapWhole, 0},
      {"only the lost chunk is lost", OnlyTheLostChunkIsLost, 0},
      {"terminated and destroyed", TerminatedAndDestroyed, 0},
  };
  return TEST_MAIN(argc, argv, cases);
}
