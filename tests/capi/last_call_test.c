// SPDX-License-Identifier: MIT
// What the finalizers of workers give, by the finalizer callback.
#include <pthread.h>

#include "host.h"

enum { kMostWorkers = 64, kLargest = 64 * 1024 };

// What was told, by workers: read when all has been told.
static struct {
  atomic_int calls, values, errors;
  int of[kMostWorkers];
  int64_t sum;  // of values that are numbers
  size_t size;  // the last one
  char bytes[kLargest + 1];
  pthread_t thread;
  atomic_int records;     // of the log
  int records_before;     // when the last one was told
  mproc_pool_t* destroy;  // by the first call
  int destroyed;
} g_told;

static void OnEnd(uint32_t worker, int32_t outcome, const void* data, size_t size, void* user_data) {
  CHECK(user_data == &g_told);
  CHECK(worker > 0 && worker < kMostWorkers);
  CHECK(data != NULL && size <= kLargest && ((const char*)data)[size] == 0);
  CHECK(outcome == MPROC_OUTCOME_VALUE || outcome == MPROC_OUTCOME_ERROR);
  CHECK_EQ((uintptr_t)data % 16, 0);
  g_told.of[worker]++;
  g_told.size = size;
  memcpy(g_told.bytes, data, size + 1);
  if (outcome == MPROC_OUTCOME_VALUE && size == sizeof(int64_t)) g_told.sum += *(const int64_t*)data;
  g_told.thread = pthread_self();
  g_told.records_before = atomic_load(&g_told.records);
  if (g_told.destroy && !g_told.destroyed++) CHECK_OK(mproc_pool_destroy(g_told.destroy));
  atomic_fetch_add(outcome == MPROC_OUTCOME_VALUE ? &g_told.values : &g_told.errors, 1);
  atomic_fetch_add(&g_told.calls, 1);
}
static void OnLog(int32_t level, const char* text, size_t size, uint64_t task, uint32_t worker, int64_t time,
                  void* user_data) {
  (void)level, (void)text, (void)size, (void)task, (void)worker, (void)time, (void)user_data;
  atomic_fetch_add(&g_told.records, 1);
}

static mproc_pool_options_t* Ending(int32_t workers, uint32_t function, const void* data, size_t size) {
  mproc_pool_options_t* options = Options(workers);
  NEED_OK(mproc_pool_options_set_finalizer(options, function, data, size));
  NEED_OK(mproc_pool_options_set_finalizer_callback(options, OnEnd, &g_told));
  NEED_OK(mproc_pool_options_set_terminate_grace(options, TestLong()));
  return options;
}
// Their state is a sum, from 10, to which the last call adds 1.
static mproc_pool_options_t* Summing(int32_t workers) {
  const int64_t first = 10, last = 1;
  mproc_pool_options_t* options = Ending(workers, fn_add_up, &last, sizeof last);
  NEED_OK(mproc_pool_options_set_initializer(options, fn_remember, &first, sizeof first));
  return options;
}
static void CheckEachOnce(int workers) {
  for (int i = 0; i < kMostWorkers; i++) CHECK_EQ(g_told.of[i], i >= 1 && i <= workers);
}

static void WhatEachWorkerGave(void) {
  mproc_pool_t* pool = ReadyWith(Summing(3));
  for (int i = 0; i < 20; i++) TakeNumber(SubmitNumber(pool, fn_add_up, 1));
  CHECK_EQ(atomic_load(&g_told.calls), 0);
  CHECK_OK(mproc_pool_close(pool));
  CHECK_OK(mproc_pool_join(pool, TestLong()));
  CHECK_EQ(atomic_load(&g_told.values), 3);
  CHECK_EQ(atomic_load(&g_told.calls), 3);
  CHECK_EQ(g_told.sum, 3 * 10 + 20 + 3);
  CheckEachOnce(3);
  CHECK(!pthread_equal(g_told.thread, pthread_self()));
  CHECK_OK(mproc_pool_destroy(pool));
  CHECK_EQ(atomic_load(&g_told.calls), 3);
}

// Workers that are over are told of while the pool goes on.
static void WhileThePoolGoesOn(void) {
  mproc_pool_options_t* options = Summing(2);
  NEED_OK(mproc_pool_options_set_worker_tasks(options, 1));
  mproc_pool_t* pool = ReadyWith(options);
  for (int i = 0; i < 5; i++) TakeNumber(SubmitNumber(pool, fn_add_up, 5));
  CHECK_SOON(atomic_load(&g_told.values) == 5);
  CHECK_EQ(g_told.sum, 5 * 16);
  CHECK_OK(mproc_pool_wait_ready(pool, TestLong()));  // who is only starting is killed
  CHECK_OK(mproc_pool_resize(pool, 1));
  CHECK_SOON(atomic_load(&g_told.values) >= 6);  // more, if a task was taken back from who nears its end
  CloseJoinDestroy(pool);
  CHECK(atomic_load(&g_told.values) >= 7);
  for (int i = 0; i < kMostWorkers; i++) CHECK(g_told.of[i] <= 1);
}

static void Values(void) {
  const int64_t sizes[] = {0, 1, 8, 32752, 32753, 50000, kLargest, kLargest + 1, 1 << 24};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    CloseJoinDestroy(ReadyWith(Ending(1, fn_big, &sizes[i], sizeof sizes[i])));
    CHECK_EQ(atomic_load(&g_told.calls), i + 1);
    if (sizes[i] > kLargest) continue;
    CHECK_EQ(atomic_load(&g_told.values), i + 1);
    CHECK_EQ(g_told.size, sizes[i]);
    bool right = true;
    for (int64_t k = 0; k < sizes[i]; k++) right &= (unsigned char)g_told.bytes[k] == PatternAt((uint64_t)k);
    CHECK(right);
  }
  CHECK_EQ(atomic_load(&g_told.errors), 2);
  CHECK_HAS(g_told.bytes, "16777216 bytes: at most 65536 are carried");
  CloseJoinDestroy(ReadyWith(Ending(1, fn_noop, NULL, 0)));  // gives nothing
  CHECK_EQ(g_told.size, 0);
  CHECK_EQ(atomic_load(&g_told.errors), 2);
}

static void Errors(void) {
  const int64_t code = 5;
  CloseJoinDestroy(ReadyWith(Ending(1, fn_fail, &code, sizeof code)));
  CHECK_EQ(atomic_load(&g_told.errors), 1);
  CHECK_EQ(strcmp(g_told.bytes, "it failed as it was told to"), 0);
  CloseJoinDestroy(ReadyWith(Ending(1, fn_refuse, &code, sizeof code)));
  CHECK_EQ(atomic_load(&g_told.errors), 2);
  CHECK_HAS(g_told.bytes, "returned 5");
  CloseJoinDestroy(ReadyWith(Ending(1, 123456, NULL, 0)));
  CHECK_EQ(atomic_load(&g_told.errors), 3);
  CHECK_HAS(g_told.bytes, "no function of id 123456");
  CHECK_EQ(atomic_load(&g_told.values), 0);
}

// A worker that does not come to the end of its last call says nothing, and holds nothing up.
static void NothingOfTheDead(void) {
  if (TestStart() == MPROC_START_THREADS) TestSkip("they would take the host along");
  const int64_t code = 0;
  CloseJoinDestroy(ReadyWith(Ending(1, fn_exit, &code, sizeof code)));
  CloseJoinDestroy(ReadyWith(Ending(1, fn_abort, NULL, 0)));
  Work work = {TestLong() / MPROC_MILLISECOND, 0};
  mproc_pool_options_t* options = Ending(1, fn_sleep, &work, sizeof work);
  NEED_OK(mproc_pool_options_set_terminate_grace(options, 30 * MPROC_MILLISECOND));
  CloseJoinDestroy(ReadyWith(options));
  mproc_pool_t* pool = ReadyWith(Summing(1));
  CHECK_EQ(TestKill(WorkerPid(pool, 0), SIGKILL), 0);
  CHECK_SOON(Statistic(pool, MPROC_POOL_STATISTIC_DEATHS) == 1);
  CHECK_EQ(atomic_load(&g_told.calls), 0);
  CHECK_EQ(TakeNumber(SubmitNumber(pool, fn_add_up, 0)), 10);
  CloseJoinDestroy(pool);
  CHECK_EQ(atomic_load(&g_told.calls), 1);
  CHECK_EQ(g_told.of[2], 1);
}

// Idle workers of a terminated pool have their last call, and destroy tells of it, too.
static void OfATerminatedPool(void) {
  mproc_pool_t* pool = ReadyWith(Summing(3));
  CHECK_OK(mproc_pool_terminate(pool));
  CHECK_OK(mproc_pool_join(pool, TestLong()));
  CHECK_EQ(atomic_load(&g_told.values), 3);
  CHECK_OK(mproc_pool_destroy(pool));
  CHECK_OK(mproc_pool_destroy(ReadyWith(Summing(2))));
  CHECK_EQ(atomic_load(&g_told.values), 5);
  CHECK_EQ(atomic_load(&g_told.calls), 5);
}

static void AfterItsLogRecords(void) {
  Lines lines = {10, MPROC_LOG_INFO, kThenReturn, 0, 0};
  mproc_pool_options_t* options = Ending(1, fn_log, &lines, sizeof lines);
  NEED_OK(mproc_pool_options_set_log_callback(options, OnLog, NULL, MPROC_LOG_INFO));
  CloseJoinDestroy(ReadyWith(options));
  CHECK_EQ(atomic_load(&g_told.values), 1);
  CHECK_EQ(g_told.records_before, 10);
}

static void ByDispatch(void) {
  mproc_pool_options_t* options = Summing(3);
  NEED_OK(mproc_pool_options_set_callbacks(options, MPROC_CALLBACKS_DISPATCH));
  mproc_pool_t* pool = ReadyWith(options);
  CHECK_OK(mproc_pool_close(pool));
  CHECK_OK(mproc_pool_join(pool, TestLong()));
  CHECK_EQ(atomic_load(&g_told.calls), 0);
  size_t ran = 0;
  CHECK_OK(mproc_pool_dispatch(pool, 2, &ran));
  CHECK_EQ(ran, 2);
  CHECK_EQ(atomic_load(&g_told.calls), 2);
  CHECK(pthread_equal(g_told.thread, pthread_self()));
  CHECK_OK(mproc_pool_destroy(pool));  // what is left
  CHECK_EQ(atomic_load(&g_told.values), 3);
  CheckEachOnce(3);
}

static void DestroyFromTheCallback(void) {
  mproc_pool_options_t* options = Summing(3);
  NEED_OK(mproc_pool_options_set_worker_tasks(options, 1));
  mproc_pool_t* pool = g_told.destroy = ReadyWith(options);
  mproc_future_t* future = SubmitNumber(pool, fn_add_up, 0);
  WaitEnd(future);
  Release(future);
  CHECK_SOON(atomic_load(&g_told.calls) >= 3);  // those that were idle had theirs, too
  for (int i = 0; i < kMostWorkers; i++) CHECK(g_told.of[i] <= 1);
}

// Nothing is told where nobody asks, and nobody is called in pools that hand out what has ended.
static void UnaskedAndRefused(void) {
  const int64_t size = 1000;
  mproc_pool_t* pool = NULL;
  mproc_pool_options_t* options = Ending(1, fn_big, &size, sizeof size);
  NEED_OK(mproc_pool_options_set_callbacks(options, MPROC_CALLBACKS_NEXT));
  CHECK_STATUS(mproc_pool_create(options, &pool), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_HAS(mproc_last_error_message(), "finalizers");
  NEED_OK(mproc_pool_options_set_finalizer_callback(options, NULL, NULL));
  CloseJoinDestroy(ReadyWith(options));
  options = Options(1);  // no finalizer
  NEED_OK(mproc_pool_options_set_finalizer_callback(options, OnEnd, &g_told));
  CloseJoinDestroy(ReadyWith(options));
  CHECK_STATUS(mproc_pool_options_set_finalizer_callback(NULL, OnEnd, NULL), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_EQ(atomic_load(&g_told.calls), 0);
}

int main(int argc, char** argv) {
  static const TestCase cases[] = {
      {"what each worker gave", WhatEachWorkerGave, 0},
      {"while the pool goes on", WhileThePoolGoesOn, 0},
      {"values", Values, 0},
      {"errors", Errors, 0},
      {"nothing of the dead", NothingOfTheDead, 0},
      {"of a terminated pool", OfATerminatedPool, 0},
      {"after its log records", AfterItsLogRecords, 0},
      {"by dispatch", ByDispatch, 0},
      {"destroy from the callback", DestroyFromTheCallback, 0},
      {"unasked and refused", UnaskedAndRefused, 0},
  };
  return TEST_MAIN(argc, argv, cases);
}
