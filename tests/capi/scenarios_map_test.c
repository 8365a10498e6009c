// SPDX-License-Identifier: MIT
// Scenarios of maps: S13, S20 to S22, S33.
#include "scenarios.h"

static int64_t ItemNumber(mproc_future_t* map, size_t index) {
  const void* data = NULL;
  size_t size = 0;
  int64_t number = -1;
  if (CHECK_OK(mproc_future_item(map, index, &data, &size)) && CHECK_EQ(size, sizeof number)) {
    memcpy(&number, data, size);
  }
  return number;
}

// ---- S13: a map of four

static void MapKeepsOrder(void) {
  const int64_t bases[4] = {1, 2, 5, 10}, wanted[4] = {1, 1024, 9765625, INT64_C(10000000000)};
  Work works[4];
  Report reports[4];
  int64_t threads[4];
  mproc_future_t* future = NULL;
  mproc_pool_t* pool = ReadyPool(2);
  WarmUp(pool, 2);
  for (int i = 0; i < 4; i++) works[i] = (Work){kD, bases[i]};
  int64_t begin = TestNow();
  NEED_OK(mproc_pool_map_array(pool, fn_pow10, works, sizeof works[0], 4, reports, sizeof reports[0],
                               MPROC_CHUNK_AUTO, TestLong(), &future));
  CHECK(TestNow() - begin >= 2 * kUnit);
  CHECK_EQ(Outcome(future), MPROC_OUTCOME_VALUE);
  for (int i = 0; i < 4; i++) {
    CHECK_EQ(reports[i].value, wanted[i]);
    CheckWorker(&reports[i]);
    threads[i] = reports[i].thread;
  }
  CHECK(Overlap(&reports[0], &reports[1]));
  CHECK_EQ(Distinct(threads, 4), 2);
  Release(future);
  // The same over byte items.
  const void* items[4];
  size_t sizes[4];
  for (int i = 0; i < 4; i++) works[i].ms = 1, items[i] = &works[i], sizes[i] = sizeof works[i];
  NEED_OK(mproc_pool_map(pool, fn_pow10, items, sizes, 4, MPROC_CHUNK_AUTO, MPROC_MAP_STOP_CHUNK, TestLong(),
                         &future));
  for (size_t i = 0; i < 4; i++) {
    const void* data = NULL;
    size_t size = 0;
    if (!CHECK_OK(mproc_future_item(future, i, &data, &size)) || !CHECK_EQ(size, sizeof(Report))) continue;
    memcpy(&reports[i], data, size);
    CHECK_EQ(reports[i].value, wanted[i]);
  }
  Release(future);
  CloseJoinDestroy(pool);
}

// ---- S20: map_async and starmap_async, waited for later

static void MapsNotWaitedFor(void) {
  enum { kItems = 20 };
  int64_t numbers[kItems];
  const void *items[kItems], *pairs[kItems];
  size_t sizes[kItems], pair_sizes[kItems];
  mproc_value_t* lists[kItems];
  mproc_future_t *squares = NULL, *powers = NULL;
  mproc_pool_t* pool = ReadyPool(2);
  for (int i = 0; i < kItems; i++) {
    numbers[i] = i;
    items[i] = &numbers[i];
    sizes[i] = sizeof numbers[i];
    NEED_OK(mproc_value_create(&lists[i]));
    CHECK_OK(mproc_value_begin_list(lists[i]));
    CHECK_OK(mproc_value_put_int(lists[i], i));
    CHECK_OK(mproc_value_put_int(lists[i], 3));
    CHECK_OK(mproc_value_end(lists[i]));
    NEED_OK(mproc_value_encode(lists[i], &pairs[i], &pair_sizes[i]));
  }
  NEED_OK(mproc_pool_map_async(pool, fn_square, items, sizes, kItems, MPROC_CHUNK_AUTO, MPROC_MAP_STOP_CHUNK,
                               NULL, NULL, NULL, &squares));
  NEED_OK(mproc_pool_map_async(pool, fn_power, pairs, pair_sizes, kItems, MPROC_CHUNK_AUTO,
                               MPROC_MAP_STOP_CHUNK, NULL, NULL, NULL, &powers));
  WaitEnd(powers);
  WaitEnd(squares);
  for (int64_t i = 0; i < kItems; i++) {
    CHECK_EQ(ItemNumber(squares, (size_t)i), i * i);
    CHECK_EQ(ItemNumber(powers, (size_t)i), i * i * i);
    CHECK_OK(mproc_value_destroy(lists[i]));
  }
  Release(squares);
  Release(powers);
  CloseJoinDestroy(pool);
}

// ---- S21: imap_unordered, read when the pool has ended

static void ReadAfterTheEnd(void) {
  enum { kItems = 3, kFirstCell = 500 };
  Work works[kItems];
  const void* items[kItems];
  size_t sizes[kItems];
  mproc_imap_t* results = NULL;
  mproc_pool_t* pool = ReadyPool(kItems);
  WarmUp(pool, kItems);
  uint64_t before = Statistic(pool, MPROC_POOL_STATISTIC_VALUES);
  for (int i = 0; i < kItems; i++) {
    works[i] = (Work){0, kFirstCell + i};
    items[i] = &works[i];
    sizes[i] = sizeof works[i];
  }
  NEED_OK(mproc_pool_imap_items(pool, fn_gate, items, sizes, kItems, MPROC_CHUNK_AUTO, 0, 0,
                                MPROC_IMAP_UNORDERED, &results));
  CHECK_OK(mproc_pool_close(pool));
  for (int i = kItems - 1; i >= 0; i--) {
    OpenGate(kFirstCell + i);
    CHECK_SOON(Statistic(pool, MPROC_POOL_STATISTIC_VALUES) == before + (uint64_t)(kItems - i));
  }
  CHECK_OK(mproc_pool_join(pool, TestLong()));
  CHECK_OK(mproc_pool_destroy(pool));
  for (int i = kItems - 1; i >= 0; i--) {
    const void* data = NULL;
    size_t size = 0;
    uint64_t index = 99;
    Report report = {.value = -1};
    NEED_OK(mproc_imap_next(results, 0, &data, &size, &index));
    CHECK_EQ(index, i);
    if (CHECK_EQ(size, sizeof report)) memcpy(&report, data, size);
    CHECK_EQ(report.value, kFirstCell + i);
    CheckWorker(&report);
  }
  CHECK_STATUS(mproc_imap_next(results, 0, NULL, NULL, NULL), MPROC_ERROR_END);
  CHECK_OK(mproc_imap_destroy(results));
}

// ---- S22: an iterable of a million items, whose reader stops after ten

enum { kMillion = 1000000, kWindow = 32 };

typedef struct {
  int64_t pulled, read, most_ahead;
} Stream;

static int32_t NextOfMillion(const void** data, size_t* size, void* user_data) {
  static int64_t item[512];  // 4 KiB each
  Stream* stream = user_data;
  if (stream->pulled == kMillion) return MPROC_ITEM_END;
  item[0] = stream->pulled++;
  if (stream->pulled - stream->read > stream->most_ahead) stream->most_ahead = stream->pulled - stream->read;
  *data = item;
  *size = sizeof item;
  return MPROC_ITEM_GIVEN;
}
static void ReaderStopsEarly(void) {
  Stream stream = {0, 0, 0};
  mproc_imap_t* results = NULL;
  mproc_pool_t* pool = ReadyPool(2);
  WarmUp(pool, 2);
  int64_t memory = TestStatusBytes(getpid(), "VmRSS:");
  NEED_OK(
      mproc_pool_imap(pool, fn_echo, NextOfMillion, &stream, 1, kWindow, 0, MPROC_IMAP_ORDERED, &results));
  for (; stream.read < 10; stream.read++) {
    const void* data = NULL;
    size_t size = 0;
    int64_t number = -1;
    NEED_OK(mproc_imap_next(results, TestLong(), &data, &size, NULL));
    if (CHECK_EQ(size, 4096)) memcpy(&number, data, sizeof number);
    CHECK_EQ(number, stream.read);
  }
  CHECK(stream.most_ahead <= kWindow);
  CHECK(stream.pulled <= stream.read + kWindow);
  int64_t begin = TestNow();
  CHECK_OK(mproc_pool_terminate(pool));
  CHECK_OK(mproc_pool_join(pool, TestLong()));
  CHECK(TestNow() - begin < Promptly());
  if (!TestSanitized()) CHECK(TestStatusBytes(getpid(), "VmRSS:") - memory < 16 << 20);
  CHECK_OK(mproc_imap_destroy(results));
  CHECK_OK(mproc_pool_destroy(pool));
}

// ---- S33: one of ten fails

static void OneOfTenItemsFails(void) {
  Calls calls = {.pid = getpid()};
  int64_t values[10];
  const void* items[10];
  size_t sizes[10];
  mproc_future_t* future = NULL;
  mproc_pool_t* pool = ReadyPool(3);
  for (int i = 0; i < 10; i++) {
    values[i] = i == 6 ? -77 : i;
    items[i] = &values[i];
    sizes[i] = sizeof values[i];
  }
  NEED_OK(mproc_pool_map_async(pool, fn_square, items, sizes, 10, 1, MPROC_MAP_STOP_CHUNK, OnValue, OnError,
                               &calls, &future));
  WaitEnd(future);
  CHECK_EQ(calls.values, 0);
  CHECK_EQ(calls.errors, 1);
  CHECK_EQ(calls.code, 77);
  CHECK_STATUS(mproc_future_error(future), MPROC_ERROR_TASK);
  CHECK_EQ(Info(future, MPROC_FUTURE_INFO_ERROR_CODE), 77);
  CHECK_EQ(Info(future, MPROC_FUTURE_INFO_FAILED_ITEM), 6);
  for (size_t i = 0; i < 10; i++) {
    if (i == 6) {
      const void* data = NULL;
      size_t size = 0;
      CHECK_STATUS(mproc_future_item(future, i, &data, &size), MPROC_ERROR_TASK);
      continue;
    }
    CHECK_EQ(Begun((int64_t)i), 1);
    CHECK_EQ(ItemNumber(future, i), i * i);
  }
  Release(future);
  CloseJoinDestroy(pool);
}

int main(int argc, char** argv) {
  static const TestCase cases[] = {
      {"S13 map keeps order", MapKeepsOrder, 0},
      {"S20 maps that are not waited for", MapsNotWaitedFor, 0},
      {"S21 read after the end", ReadAfterTheEnd, 0},
      {"S22 reader stops early", ReaderStopsEarly, 0},
      {"S33 one of ten items fails", OneOfTenItemsFails, 0},
  };
  return TEST_MAIN(argc, argv, cases);
}
