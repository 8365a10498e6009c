// SPDX-License-Identifier: MIT
// Automatic chunks: as many tasks as the time of the items asks for, and what is true of any chunk.
#include "host.h"

enum { kItems = 2000 };
static int64_t g_numbers[kItems];
static const void* g_items[kItems];
static size_t g_sizes[kItems];

static void Fill(void) {
  for (int i = 0; i < kItems; i++) {
    g_numbers[i] = i;
    g_items[i] = &g_numbers[i];
    g_sizes[i] = sizeof g_numbers[i];
  }
}

// How many tasks the workers of an idle pool have ended.
static int64_t TasksDone(mproc_pool_t* pool) {
  int64_t done = 0;
  int32_t workers = 0;
  NEED_SOON(Statistic(pool, MPROC_POOL_STATISTIC_QUEUED) + Statistic(pool, MPROC_POOL_STATISTIC_RUNNING) ==
            0);
  CHECK_OK(mproc_pool_worker_count(pool, &workers));
  for (int32_t i = 0; i < workers; i++) done += WorkerInfo(pool, i, MPROC_WORKER_INFO_TASKS_DONE);
  return done;
}

static void ShortItemsTravelTogether(void) {
  mproc_pool_t* pool = ReadyPool(2);
  Fill();
  for (int round = 0; round < 3; round++) {
    int64_t squares[kItems], before = TasksDone(pool), chunks;
    mproc_future_t* future = NULL;
    NEED_OK(mproc_pool_map_array(pool, fn_square, g_numbers, sizeof g_numbers[0], kItems, squares,
                                 sizeof squares[0], MPROC_CHUNK_AUTO, TestLong(), &future));
    CHECK_STATUS(mproc_future_error(future), MPROC_OK);
    Release(future);
    for (int64_t i = 0; i < kItems; i++) CHECK_EQ(squares[i], i * i);
    chunks = TasksDone(pool) - before;
    CHECK(chunks >= 8);  // an eighth is the most
    CHECK(chunks < kItems / 2);
  }
  CloseJoinDestroy(pool);
}

// Whatever ran before: an item that takes longer than a chunk should goes alone.
static void LongItemsGoOneByOne(void) {
  enum { kLong = 60 };
  mproc_pool_t* pool = ReadyPool(2);
  Work works[kLong];
  Report reports[kLong];
  mproc_future_t* future = NULL;
  Fill();
  for (int i = 0; i < 500; i++) Release(SubmitNumber(pool, fn_square, 1));
  NEED_OK(
      mproc_pool_map(pool, fn_square, g_items, g_sizes, kItems, MPROC_CHUNK_AUTO, 0, TestLong(), &future));
  Release(future);
  int64_t before = TasksDone(pool);
  for (int i = 0; i < kLong; i++) works[i] = (Work){2, i};
  NEED_OK(mproc_pool_map_array(pool, fn_sleep, works, sizeof works[0], kLong, reports, sizeof reports[0],
                               MPROC_CHUNK_AUTO, TestLong(), &future));
  Release(future);
  CHECK_EQ(TasksDone(pool) - before, kLong);
  for (int i = 0; i < kLong; i++) CHECK_EQ(reports[i].value, i);
  CloseJoinDestroy(pool);
}

// What waits behind a long item is done by the other worker. The first item has a chunk of its own.
static void NobodySitsOnChunks(void) {
  enum { kGates = 200 };
  mproc_pool_t* pool = ReadyPool(2);
  Work works[kGates];
  Report reports[kGates];
  mproc_future_t* future = NULL;
  for (int i = 0; i < 500; i++) Release(SubmitNumber(pool, fn_square, 1));
  for (int i = 0; i < kGates; i++) {
    works[i] = (Work){0, i};
    if (i != 0) OpenGate(i);
  }
  CHECK_STATUS(mproc_pool_map_array(pool, fn_gate, works, sizeof works[0], kGates, reports, sizeof reports[0],
                                    MPROC_CHUNK_AUTO, 0, &future),
               MPROC_ERROR_TIMED_OUT);
  for (int i = 1; i < kGates; i++) NEED_SOON(Ended(i) == 1);
  CHECK_EQ(Ended(0), 0);
  OpenGate(0);
  WaitEnd(future);
  CHECK_STATUS(mproc_future_error(future), MPROC_OK);
  Release(future);
  CloseJoinDestroy(pool);
}

// The items that were not run are those between the one that failed and the end of its chunk.
static void RestOfAFailingChunkIsNotRun(void) {
  mproc_pool_t* pool = ReadyPool(2);
  for (int mode = MPROC_MAP_STOP_CHUNK; mode <= MPROC_MAP_KEEP_GOING; mode++) {
    mproc_future_t* future = NULL;
    int64_t not_run = 0, last = -1;
    Fill();
    for (int i = 100; i < kItems; i += 300) g_numbers[i] = -i;
    NEED_OK(mproc_pool_map(pool, fn_square, g_items, g_sizes, kItems, MPROC_CHUNK_AUTO, mode, TestLong(),
                           &future));
    CHECK_STATUS(mproc_future_error(future), MPROC_ERROR_TASK);
    CHECK_EQ(Info(future, MPROC_FUTURE_INFO_FAILED_ITEM) % 300, 100);
    for (int64_t i = 0; i < kItems; i++) {
      const void* data = NULL;
      size_t size = 0;
      int64_t square = -1;
      int32_t status = mproc_future_item(future, (size_t)i, &data, &size);
      if (status == MPROC_ERROR_NOT_RUN) {
        CHECK_EQ(last, i - 1);
        last = i;
        not_run++;
        continue;
      }
      CHECK_STATUS(status, i % 300 == 100 ? MPROC_ERROR_TASK : MPROC_OK);
      if (status == MPROC_ERROR_TASK) last = i;
      if (status == MPROC_OK) memcpy(&square, data, sizeof square);
      if (status == MPROC_OK) CHECK_EQ(square, i * i);
    }
    if (mode == MPROC_MAP_KEEP_GOING) CHECK_EQ(not_run, 0);
    Release(future);
  }
  CloseJoinDestroy(pool);
}

static void CancelEndsWhatHasNoChunkYet(void) {
  mproc_pool_t* pool = ReadyPool(2);
  mproc_future_t *gates[2], *future = NULL;
  Fill();
  for (int i = 0; i < 2; i++) gates[i] = SubmitWork(pool, fn_gate, 0, i);
  NEED_SOON(CountBegun(0, 2) == 2);
  NEED_OK(mproc_pool_map_async(pool, fn_square, g_items, g_sizes, kItems, MPROC_CHUNK_AUTO, 0, NULL, NULL,
                               NULL, &future));
  CHECK(Statistic(pool, MPROC_POOL_STATISTIC_QUEUED) >= 8);
  CHECK_OK(mproc_future_cancel(future));
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_QUEUED), 0);
  TakeEnd(future, MPROC_OUTCOME_CANCELLED, MPROC_CAUSE_CALL);
  OpenAllGates();
  for (int i = 0; i < 2; i++) TakeReport(gates[i]);
  CloseJoinDestroy(pool);
}

int main(int argc, char** argv) {
  static const TestCase cases[] = {
      {"short items travel together", ShortItemsTravelTogether, 0},
      {"long items go one by one", LongItemsGoOneByOne, 0},
      {"nobody sits on chunks", NobodySitsOnChunks, 0},
      {"rest of a failing chunk is not run", RestOfAFailingChunkIsNotRun, 0},
      {"cancel ends what has no chunk yet", CancelEndsWhatHasNoChunkYet, 0},
  };
  return TEST_MAIN(argc, argv, cases);
}
