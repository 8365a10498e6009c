// SPDX-License-Identifier: MIT
// Scenarios of what workers have and how long they live: S1, S3.
#include "bound_functions.h"
#include "scenarios.h"

// The value of an item, which must have this size.
static void ReadItem(mproc_future_t* map, size_t index, void* value, size_t size) {
  const void* data = NULL;
  size_t got = 0;
  NEED_OK(mproc_future_item(map, index, &data, &got));
  NEED(got == size);
  memcpy(value, data, size);
}

// ---- S1: three parameters, two bound once, mapped over the third

static void TwoOfThreeAreBound(void) {
  enum { kItems = 100 };
  Fixed fixed = {17, -4, {0}};
  for (size_t i = 0; i < sizeof fixed.filling; i++) fixed.filling[i] = PatternAt(i);
  const uint64_t sum = SumOf(&fixed, sizeof fixed).sum;
  int64_t thirds[kItems];
  Partial partials[kItems];
  uint32_t bound = 0;
  mproc_future_t* future = NULL;
  mproc_pool_options_t* options = Options(2);
  NEED_OK(mproc_pool_options_set_module(options, TEST_MODULE_BOUND));
  mproc_pool_t* pool = ReadyWith(options);
  NEED_OK(mproc_pool_bind(pool, fn_partial, &fixed, sizeof fixed, &bound));
  memset(&fixed, 0xff, sizeof fixed);  // workers have what it was
  for (int i = 0; i < kItems; i++) thirds[i] = 1000 - 7 * i;
  NEED_OK(mproc_pool_map_array(pool, bound, thirds, sizeof thirds[0], kItems, partials, sizeof partials[0],
                               MPROC_CHUNK_AUTO, TestLong(), &future));
  CHECK_EQ(Outcome(future), MPROC_OUTCOME_VALUE);
  for (int i = 0; i < kItems; i++) {
    CHECK_EQ(partials[i].first, 17);
    CHECK_EQ(partials[i].second, -4);
    CHECK_EQ(partials[i].third, thirds[i]);
    CHECK_EQ(partials[i].item, i);
    CHECK(partials[i].sum == sum);
    CHECK((partials[i].pid == getpid()) == (TestStart() == MPROC_START_THREADS));
  }
  Release(future);
  CloseJoinDestroy(pool);
}

// ---- S3: four workers for one task each, thirty sleeps

static void WorkersForOneTask(int64_t chunk, int64_t ms) {
  enum { kItems = 30, kWorkers = 4 };
  Work works[kItems];
  const void* items[kItems];
  size_t sizes[kItems];
  Report reports[kItems];
  int64_t pids[kItems], numbers[kItems];
  const int tasks = kItems / (int)chunk;
  mproc_future_t* future = NULL;
  mproc_pool_options_t* options = Options(kWorkers);
  NEED_OK(mproc_pool_options_set_worker_tasks(options, 1));
  mproc_pool_t* pool = ReadyWith(options);
  for (int i = 0; i < kItems; i++) {
    works[i] = (Work){ms, i};
    items[i] = &works[i];
    sizes[i] = sizeof works[i];
  }
  int64_t begin = TestNow();
  NEED_OK(
      mproc_pool_map(pool, fn_sleep, items, sizes, kItems, chunk, MPROC_MAP_STOP_CHUNK, TestLong(), &future));
  CHECK(TestNow() - begin >= (tasks + kWorkers - 1) / kWorkers * chunk * ms * MPROC_MILLISECOND);
  for (int i = 0; i < kItems; i++) {
    ReadItem(future, (size_t)i, &reports[i], sizeof reports[i]);
    CHECK_EQ(reports[i].value, i);
    CheckWorker(&reports[i]);
    pids[i] = reports[i].pid;
    numbers[i] = reports[i].number;
  }
  CHECK_EQ(Distinct(numbers, kItems), tasks);
  CHECK_EQ(Distinct(pids, kItems), TestStart() == MPROC_START_THREADS ? 1 : tasks);
  CHECK(MostAtOnce(reports, kItems) <= kWorkers);
  CHECK_SOON(Statistic(pool, MPROC_POOL_STATISTIC_RECYCLED) == (uint64_t)tasks);
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_DEATHS), 0);
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_SIZE), kWorkers);
  CHECK_OK(mproc_pool_wait_ready(pool, TestLong()));
  Release(future);
  CloseJoinDestroy(pool);
}
static void AWorkerForEachTask(void) { WorkersForOneTask(1, 60); }
static void AWorkerForEachChunk(void) { WorkersForOneTask(3, 10); }

int main(int argc, char** argv) {
  static const TestCase cases[] = {
      {"S1 two of three arguments are bound", TwoOfThreeAreBound, 0},
      {"S3 a worker for each task", AWorkerForEachTask, 0},
      {"S3 a worker for each chunk", AWorkerForEachChunk, 0},
  };
  return TEST_MAIN(argc, argv, cases);
}
