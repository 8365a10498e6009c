// SPDX-License-Identifier: MIT
// The pools of the chaos: one for each way in which workers are started, one whose workers never live long.
#ifndef MPROC_TESTS_CHAOS_POOLS_H
#define MPROC_TESTS_CHAOS_POOLS_H

#include "chaos.h"

enum { kWorkers = 3, kMostWorkers = 4 };  // less than the starts in a row whose failure breaks a pool

static mproc_pool_t* g_pools[kPools];
static atomic_uint g_records[kPools + 1];  // of the log; the last one counts for the pools that come and go

static inline void OnLog(int32_t level, const char* text, size_t size, uint64_t task, uint32_t worker,
                         int64_t time, void* records) {
  uint64_t ticket = strtoull(text, NULL, 10);
  if (level != MPROC_LOG_INFO || size != strlen(text) || ticket >= atomic_load(&g_ticket_count) ||
      task == 0 || worker == 0 || time > TestNow()) {
    g_wrong_calls++;
    return;
  }
  atomic_fetch_add(&g_tickets[ticket].records, 1);
  atomic_fetch_add((atomic_uint*)records, 1);
}

// With the functions of the chaos, in this program itself where that can be.
static inline mproc_pool_options_t* LoggedOptions(int32_t workers, int which) {
  mproc_pool_options_t* options = Options(workers);
  NEED_OK(mproc_pool_options_set_log_callback(options, OnLog, &g_records[which], MPROC_LOG_INFO));
  if (TestUnderValgrind() || which == kForkserver || which == kShortLived) {
    NEED_OK(mproc_pool_options_set_module(options, TEST_CHAOS_MODULE));
  } else {
    NEED_OK(mproc_pool_options_set_self(options));
  }
  return options;
}
static inline void MakePools(void) {
  mproc_pool_options_t* options[kPools];
  for (int i = 0; i < kPools; i++) options[i] = LoggedOptions(kWorkers, i);
  if (!TEST_UNDER_TSAN) {
    NEED_OK(mproc_pool_options_set_start_method(options[kForkserver], MPROC_START_FORKSERVER));
  }
  if (!TestSanitized()) {
    NEED_OK(mproc_pool_options_set_start_method(options[kFork], MPROC_START_FORK));
    NEED_OK(mproc_pool_options_set_fork_with_threads(options[kFork], 1));
    NEED_OK(mproc_pool_options_set_worker_limit(options[kShortLived], MPROC_LIMIT_MEMORY, INT64_C(1) << 30));
    NEED_OK(mproc_pool_options_set_worker_memory(options[kShortLived], 24 << 20));
  }
  NEED_OK(mproc_pool_options_set_worker_tasks(options[kShortLived], 40));
  for (int i = 0; i < kPools; i++) g_pools[i] = CreateWith(options[i]);
}

static inline bool AllServe(void) {
  bool all = true;
  for (int i = 0; i < kPools; i++) {
    all &= Statistic(g_pools[i], MPROC_POOL_STATISTIC_WORKERS) >=
           Statistic(g_pools[i], MPROC_POOL_STATISTIC_SIZE);
  }
  return all;
}

static inline void LookInto(mproc_pool_t* pool, uint64_t* random) {
  char text[8192];
  size_t capacity = 1 + Below(random, sizeof text), size = 0;
  for (int32_t i = MPROC_POOL_STATISTIC_SUBMITTED; i <= MPROC_POOL_STATISTIC_BYTES_OUT; i++) {
    Statistic(pool, i);
  }
  uint64_t number;
  int32_t which = 1 + (int32_t)Below(random, MPROC_FUNCTION_STATISTIC_WAIT_MAX);
  CHECK_OK(mproc_pool_function_statistic(pool, 1 + Below(random, chaos_number), which, &number));
  int32_t status = mproc_pool_dump(pool, text, capacity, &size);
  CHECK_EQ(status, size < capacity ? MPROC_OK : MPROC_ERROR_BUFFER_TOO_SMALL);
  CHECK_EQ(strlen(text), size < capacity ? size : capacity - 1);
  CHECK_STATUS(mproc_pool_error_message(pool, text, sizeof text, NULL), MPROC_ERROR_NO_ERROR);
}
static inline void CheckPool(int which) {
  mproc_pool_t* pool = g_pools[which];
  const int32_t ends[] = {MPROC_POOL_STATISTIC_VALUES,    MPROC_POOL_STATISTIC_ERRORS,
                          MPROC_POOL_STATISTIC_CANCELLED, MPROC_POOL_STATISTIC_LOST,
                          MPROC_POOL_STATISTIC_TIMED_OUT, MPROC_POOL_STATISTIC_NOT_RUN};
  uint64_t ended = 0;
  CHECK_OK(mproc_pool_close(pool));
  CHECK_OK(mproc_pool_join(pool, TestLong()));
  for (int i = 0; i < 6; i++) ended += Statistic(pool, ends[i]);
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_SUBMITTED), ended);
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_NOT_RUN), 0);
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_QUEUED), 0);
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_RUNNING), 0);
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_LOG_RECORDS), atomic_load(&g_records[which]));
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_LOG_DROPPED), 0);
  printf("  %d tasks and chunks: %d values, %d errors, %d cancelled, %d lost, %d timed out; %d recycled\n",
         (int)ended, (int)Statistic(pool, ends[0]), (int)Statistic(pool, ends[1]),
         (int)Statistic(pool, ends[2]), (int)Statistic(pool, ends[3]), (int)Statistic(pool, ends[4]),
         (int)Statistic(pool, MPROC_POOL_STATISTIC_RECYCLED));
}

#endif
