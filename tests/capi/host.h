// SPDX-License-Identifier: MIT
// What the programs that use the test module share: making pools, submitting, reading values.
#ifndef MPROC_TESTS_HOST_H
#define MPROC_TESTS_HOST_H

#include "functions.h"
#include "mproc_test.h"

// ---- the board

static Board* g_board;

static inline Board* OpenBoard(void) {
  if (g_board) return g_board;
  unlink(TestFile());
  NEED((g_board = MapBoard(TestFile(), 1)) != NULL);
  setenv(TEST_BOARD, TestFile(), 1);
  return g_board;
}
static inline uint32_t Begun(int64_t cell) { return atomic_load(&g_board->begun[cell]); }
static inline uint32_t Ended(int64_t cell) { return atomic_load(&g_board->ended[cell]); }
static inline void OpenGate(int64_t cell) { atomic_store(&g_board->open[cell], 1); }
static inline void OpenAllGates(void) { atomic_store(&g_board->all_open, 1); }
static inline int CountBegun(int64_t first, int64_t count) {
  int begun = 0;
  for (int64_t i = first; i < first + count; i++) begun += Begun(i) != 0;
  return begun;
}

// ---- pools

// The start method of the whole program, MPROC_START_, as meson.build runs it.
static inline int32_t TestStart(void) {
  const char* given = getenv("MPROC_TEST_START");
  return given ? atoi(given) : MPROC_START_SPAWN;
}
static inline int TestForked(void) { return TestStart() == MPROC_START_FORKSERVER; }
static inline int TestHasLauncher(void) { return TestStart() <= MPROC_START_FORKSERVER; }

static inline mproc_pool_options_t* Options(int32_t workers) {
  mproc_pool_options_t* options = NULL;
  OpenBoard();  // workers find it in their environment
  NEED_OK(mproc_pool_options_create(&options));
  NEED_OK(mproc_pool_options_set_module(options, TEST_MODULE));
  NEED_OK(mproc_pool_options_set_workers(options, workers));
  NEED_OK(mproc_pool_options_set_start_method(options, TestStart()));
  if (TestSlowness() > 1) NEED_OK(mproc_pool_options_set_start_limit(options, TestLong()));
  return options;
}
// A pool with these options, which are destroyed.
// Of workers that are made of this process, with functions of its own; takes the table.
static inline mproc_pool_options_t* TableOptions(int32_t workers, int32_t start, mproc_table_t* table) {
  mproc_pool_options_t* options = NULL;
  NEED_OK(mproc_pool_options_create(&options));
  NEED_OK(mproc_pool_options_set_start_method(options, start));
  NEED_OK(mproc_pool_options_set_workers(options, workers));
  NEED_OK(mproc_pool_options_set_table(options, table));
  NEED_OK(mproc_table_destroy(table));
  return options;
}

static inline mproc_pool_t* CreateWith(mproc_pool_options_t* options) {
  mproc_pool_t* pool = NULL;
  NEED_OK(mproc_pool_create(options, &pool));
  NEED_OK(mproc_pool_options_destroy(options));
  return pool;
}
static inline mproc_pool_t* ReadyWith(mproc_pool_options_t* options) {
  mproc_pool_t* pool = CreateWith(options);
  NEED_OK(mproc_pool_wait_ready(pool, TestLong()));
  return pool;
}
static inline mproc_pool_t* ReadyPool(int32_t workers) { return ReadyWith(Options(workers)); }
// A pool whose callbacks run in this mode.
static inline mproc_pool_t* CallbackPool(int32_t workers, int32_t mode) {
  mproc_pool_options_t* options = Options(workers);
  NEED_OK(mproc_pool_options_set_callbacks(options, mode));
  return ReadyWith(options);
}

static inline uint64_t Statistic(mproc_pool_t* pool, int32_t which) {
  uint64_t value = UINT64_MAX;
  CHECK_OK(mproc_pool_statistic(pool, which, &value));
  return value;
}
static inline int64_t WorkerInfo(mproc_pool_t* pool, int32_t place, int32_t which) {
  int64_t value = -1;
  CHECK_OK(mproc_pool_worker_info(pool, place, which, &value));
  return value;
}
static inline pid_t WorkerPid(mproc_pool_t* pool, int32_t place) {
  return (pid_t)WorkerInfo(pool, place, MPROC_WORKER_INFO_PID);
}

// The process of the one worker that is idle. One that failed to start may still be in the first place.
static inline pid_t IdlePid(mproc_pool_t* pool) {
  int32_t places = 0, place = 0;
  CHECK_OK(mproc_pool_worker_count(pool, &places));
  while (place < places && WorkerInfo(pool, place, MPROC_WORKER_INFO_STATE) != MPROC_WORKER_STATE_IDLE)
    place++;
  return place < places ? WorkerPid(pool, place) : 0;
}

// ---- tasks

static inline mproc_future_t* Submit(mproc_pool_t* pool, uint32_t function, const void* data, size_t size) {
  mproc_future_t* future = NULL;
  NEED_OK(mproc_pool_submit(pool, function, data, size, MPROC_FOREVER, &future));
  NEED(future != NULL);
  return future;
}
static inline mproc_future_t* SubmitNumber(mproc_pool_t* pool, uint32_t function, int64_t number) {
  return Submit(pool, function, &number, sizeof number);
}
static inline mproc_future_t* SubmitWork(mproc_pool_t* pool, uint32_t function, int64_t ms, int64_t value) {
  Work work = {ms, value};
  return Submit(pool, function, &work, sizeof work);
}
static inline void Release(mproc_future_t* future) { CHECK_OK(mproc_future_release(future)); }

// Waits for the end without checking which.
static inline void WaitEnd(mproc_future_t* future) { NEED_OK(mproc_future_wait(future, TestLong())); }
static inline int32_t Outcome(mproc_future_t* future) {
  int32_t outcome = -1;
  CHECK_OK(mproc_future_outcome(future, &outcome));
  return outcome;
}
static inline int64_t Info(mproc_future_t* future, int32_t which) {
  int64_t value = INT64_MIN;
  CHECK_OK(mproc_future_info(future, which, &value));
  return value;
}
static inline const char* Message(mproc_future_t* future) {
  const char* text = NULL;
  CHECK_OK(mproc_future_error_message(future, &text));
  return text ? text : "";
}

// The value of an ended task, which must have this size; zeros if it has not.
static inline void ReadValue(mproc_future_t* future, void* value, size_t size) {
  const void* data = NULL;
  size_t got = 0;
  memset(value, 0, size);
  if (!CHECK_OK(mproc_future_result(future, &data, &got))) return;
  if (CHECK_EQ(got, size)) memcpy(value, data, size);
}
static inline int64_t NumberOf(mproc_future_t* future) {
  int64_t number;
  ReadValue(future, &number, sizeof number);
  return number;
}
static inline Report ReportOf(mproc_future_t* future) {
  Report report;
  ReadValue(future, &report, sizeof report);
  return report;
}
// Waits for a task, takes its value and releases it.
static inline int64_t TakeNumber(mproc_future_t* future) {
  WaitEnd(future);
  int64_t number = NumberOf(future);
  Release(future);
  return number;
}
// Until the next one is taken.
static inline char* TakeText(mproc_future_t* future) {
  static char text[8192];
  const void* data = NULL;
  size_t size = 0;
  WaitEnd(future);
  CHECK_OK(mproc_future_result(future, &data, &size));
  if (size >= sizeof text) size = sizeof text - 1;
  if (size) memcpy(text, data, size);
  text[size] = '\0';
  Release(future);
  return text;
}
static inline Report TakeReport(mproc_future_t* future) {
  WaitEnd(future);
  Report report = ReportOf(future);
  Release(future);
  return report;
}
// How many different ones these are.
static inline int Distinct(const int64_t* values, int count) {
  int distinct = 0;
  for (int i = 0; i < count; i++) {
    bool seen = false;
    for (int k = 0; k < i; k++) seen |= values[k] == values[i];
    distinct += !seen;
  }
  return distinct;
}
// Waits for a task that must end like this, and releases it.
static inline void TakeEnd(mproc_future_t* future, int32_t outcome, int32_t cause) {
  WaitEnd(future);
  CHECK_EQ(Outcome(future), outcome);
  CHECK_EQ(Info(future, MPROC_FUTURE_INFO_CAUSE), cause);
  Release(future);
}

// Lets every worker of the pool run one task: none starts a second one before all have begun. Uses the last
// cells of the board, and opens no other gate.
static inline void WarmUp(mproc_pool_t* pool, int32_t workers) {
  static int64_t next = kCells;
  mproc_future_t* futures[64];
  NEED(workers <= 64);
  next -= workers;
  for (int32_t i = 0; i < workers; i++) futures[i] = SubmitWork(pool, fn_gate, 0, next + i);
  NEED_SOON(CountBegun(next, workers) == workers);
  for (int32_t i = 0; i < workers; i++) OpenGate(next + i);
  for (int32_t i = 0; i < workers; i++) TakeReport(futures[i]);
}

// The end of a pool in the plain way.
static inline void CloseJoinDestroy(mproc_pool_t* pool) {
  CHECK_OK(mproc_pool_close(pool));
  CHECK_OK(mproc_pool_join(pool, TestLong()));
  CHECK_OK(mproc_pool_destroy(pool));
}

#endif
