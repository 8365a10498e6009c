// SPDX-License-Identifier: MIT
// Time limits, deadlines, cancels of what runs, and retries: each ends the task in its own way, and no other.
#include "host.h"

static mproc_task_options_t* TaskOptions(void) {
  mproc_task_options_t* options = NULL;
  NEED_OK(mproc_task_options_create(&options));
  return options;
}
static mproc_future_t* SubmitWith(mproc_pool_t* pool, uint32_t function, const void* data, size_t size,
                                  mproc_task_options_t* options) {
  mproc_future_t* future = NULL;
  NEED_OK(mproc_pool_submit_with(pool, function, data, size, options, &future));
  return future;
}
static mproc_future_t* SubmitWorkWith(mproc_pool_t* pool, uint32_t function, int64_t ms, int64_t value,
                                      mproc_task_options_t* options) {
  Work work = {ms, value};
  return SubmitWith(pool, function, &work, sizeof work, options);
}
static Flaky FlakyOf(int64_t way, int64_t times, int64_t cell) {
  Flaky flaky = {way, times, cell, {0}};
  for (size_t i = 0; i < sizeof flaky.filling; i++) flaky.filling[i] = PatternAt(i);
  return flaky;
}
static mproc_task_options_t* Limited(int64_t limit, int64_t grace) {
  mproc_task_options_t* options = TaskOptions();
  NEED_OK(mproc_task_options_set_time_limit(options, limit));
  NEED_OK(mproc_task_options_set_grace(options, grace));
  return options;
}
static mproc_task_options_t* Retry(int32_t times, int32_t on, int64_t back_off) {
  mproc_task_options_t* options = TaskOptions();
  NEED_OK(mproc_task_options_set_retry(options, times, on, back_off));
  return options;
}

// ---- time limits

static void LimitKillsOnlyItsTask(void) {
  mproc_pool_t* pool = ReadyPool(1);
  mproc_task_options_t* options = Limited(60 * MPROC_MILLISECOND, 20 * MPROC_MILLISECOND);
  pid_t pid = WorkerPid(pool, 0);
  mproc_future_t* before[8];
  for (int i = 0; i < 8; i++) before[i] = SubmitNumber(pool, fn_square, i);
  mproc_future_t* slow = SubmitWorkWith(pool, fn_stubborn, 0, 100, options);
  mproc_future_t* after[8];
  for (int i = 0; i < 8; i++) after[i] = SubmitNumber(pool, fn_square, 10 + i);
  WaitEnd(slow);
  CHECK_EQ(Outcome(slow), MPROC_OUTCOME_TIMED_OUT);
  CHECK_STATUS(mproc_future_error(slow), MPROC_ERROR_TASK_TIMED_OUT);
  CHECK_EQ(Info(slow, MPROC_FUTURE_INFO_CAUSE), MPROC_CAUSE_TIME_LIMIT);
  CHECK_EQ(Info(slow, MPROC_FUTURE_INFO_WORKER_PID), pid);
  CHECK_EQ(Info(slow, MPROC_FUTURE_INFO_ATTEMPTS), 1);
  CHECK(Info(slow, MPROC_FUTURE_INFO_ELAPSED) >= 80 * MPROC_MILLISECOND);
  CHECK_HAS(Message(slow), "time limit of 60 ms");
  CHECK(TestGone(pid));
  Release(slow);
  for (int i = 0; i < 8; i++) CHECK_EQ(TakeNumber(before[i]), i * i);
  for (int i = 0; i < 8; i++) CHECK_EQ(TakeNumber(after[i]), (10 + i) * (10 + i));
  for (int i = 0; i < 8; i++) CHECK_EQ(Begun(10 + i), 1);  // none ran twice
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_TIMED_OUT), 1);
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_LOST), 0);
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_DEATHS), 0);
  CHECK_OK(mproc_task_options_destroy(options));
  CloseJoinDestroy(pool);
}

// What waits in the queue uses none of its limit.
static void LimitCountsFromTheStart(void) {
  mproc_pool_t* pool = ReadyPool(1);
  mproc_task_options_t* options = Limited(150 * MPROC_MILLISECOND, 0);
  mproc_future_t* first = SubmitWork(pool, fn_gate, 0, 1);
  mproc_future_t* second = SubmitWorkWith(pool, fn_sleep, 1, 5, options);
  NEED_SOON(Begun(1));
  CHECK_STATUS(mproc_future_wait(second, 400 * MPROC_MILLISECOND), MPROC_ERROR_TIMED_OUT);
  OpenGate(1);
  Release(first);
  CHECK_EQ(TakeReport(second).value, 5);
  CHECK_OK(mproc_task_options_destroy(options));
  CloseJoinDestroy(pool);
}

// A task that looks may return in the grace time, and its answer counts.
static void SoftLimitIsSeen(void) {
  mproc_pool_t* pool = ReadyPool(1);
  mproc_task_options_t* options = Limited(50 * MPROC_MILLISECOND, TestLong());
  mproc_future_t* future = SubmitWorkWith(pool, fn_spin, 0, 7, options);
  WaitEnd(future);
  CHECK_EQ(Outcome(future), MPROC_OUTCOME_VALUE);
  CHECK(Info(future, MPROC_FUTURE_INFO_ELAPSED) >= 50 * MPROC_MILLISECOND);
  CHECK_EQ(Ended(7), 1);
  Release(future);
  int64_t left = TakeNumber(SubmitWith(pool, fn_time_left, NULL, 0, options));
  CHECK(left > 0 && left <= 50 * MPROC_MILLISECOND);
  CHECK_EQ(TakeNumber(Submit(pool, fn_time_left, NULL, 0)), MPROC_FOREVER);
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_STARTS), 1);
  CHECK_OK(mproc_task_options_destroy(options));
  CloseJoinDestroy(pool);
}

// Many tasks, some of them over the limit: each has its own end.
static void LimitsOfMany(void) {
  enum { kTasks = 60 };
  mproc_pool_t* pool = ReadyPool(2);
  mproc_task_options_t* options = Limited(200 * MPROC_MILLISECOND * TestSlowness(), 0);
  mproc_future_t* futures[kTasks];
  for (int i = 0; i < kTasks; i++) {
    futures[i] = i % 12 == 5 ? SubmitWorkWith(pool, fn_stubborn, 0, 500 + i, options)
                             : SubmitWorkWith(pool, fn_sleep, 1, i, options);
  }
  for (int i = 0; i < kTasks; i++) {
    if (i % 12 == 5) {
      TakeEnd(futures[i], MPROC_OUTCOME_TIMED_OUT, MPROC_CAUSE_TIME_LIMIT);
    } else {
      CHECK_EQ(TakeReport(futures[i]).value, i);
    }
  }
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_TIMED_OUT), 5);
  CHECK_OK(mproc_task_options_destroy(options));
  CloseJoinDestroy(pool);
}

static void LimitsOfChunks(void) {
  mproc_pool_t* pool = ReadyPool(2);
  mproc_task_options_t* options = Limited(200 * MPROC_MILLISECOND * TestSlowness(), 0);
  Work work[6];
  const void* items[6];
  size_t sizes[6];
  for (int i = 0; i < 6; i++) {
    work[i] = (Work){i == 2 ? 600000 : 0, 20 + i};
    items[i] = &work[i];
    sizes[i] = sizeof work[i];
  }
  mproc_future_t* map = NULL;
  NEED_OK(mproc_pool_map_with(pool, fn_spin_for, items, sizes, 6, 2, MPROC_MAP_STOP_CHUNK, options, &map));
  WaitEnd(map);
  CHECK_EQ(Outcome(map), MPROC_OUTCOME_TIMED_OUT);
  const void* data;
  size_t size;
  for (size_t i = 0; i < 6; i++) {
    CHECK_STATUS(mproc_future_item(map, i, &data, &size), i / 2 == 1 ? MPROC_ERROR_TASK_TIMED_OUT : MPROC_OK);
  }
  Release(map);
  CHECK_OK(mproc_task_options_destroy(options));
  CloseJoinDestroy(pool);
}

// ---- deadlines

static void DeadlineOfTheWhole(void) {
  mproc_pool_t* pool = ReadyPool(2);
  mproc_task_options_t* options = TaskOptions();
  NEED_OK(mproc_task_options_set_deadline(options, 150 * MPROC_MILLISECOND));
  NEED_OK(mproc_task_options_set_grace(options, 0));
  Work work = {600000, 40};
  const void* items[20];
  size_t sizes[20];
  for (int i = 0; i < 20; i++) items[i] = &work, sizes[i] = sizeof work;
  mproc_future_t* map = NULL;
  NEED_OK(mproc_pool_map_with(pool, fn_spin_for, items, sizes, 20, 1, MPROC_MAP_STOP_CHUNK, options, &map));
  int64_t begin = TestNow();
  TakeEnd(map, MPROC_OUTCOME_TIMED_OUT, MPROC_CAUSE_DEADLINE);
  CHECK(TestNow() - begin < TestLong());
  // Queued behind one that has no deadline: ends unbegun, and the other one goes on.
  OpenBoard();
  mproc_future_t* gates[2] = {SubmitWork(pool, fn_gate, 0, 60), SubmitWork(pool, fn_gate, 0, 61)};
  NEED_SOON(CountBegun(60, 2) == 2);
  mproc_future_t* waiting = SubmitWorkWith(pool, fn_mark, 0, 62, options);
  WaitEnd(waiting);
  CHECK_EQ(Outcome(waiting), MPROC_OUTCOME_TIMED_OUT);
  CHECK_HAS(Message(waiting), "before the task began");
  CHECK_EQ(Info(waiting, MPROC_FUTURE_INFO_ATTEMPTS), 0);
  Release(waiting);
  OpenGate(60), OpenGate(61);
  for (int i = 0; i < 2; i++) TakeReport(gates[i]);
  CHECK_EQ(Begun(62), 0);
  // One that is in time is not touched, nor kept for long.
  CHECK_EQ(TakeReport(SubmitWorkWith(pool, fn_sleep, 0, 9, options)).value, 9);
  CHECK_OK(mproc_task_options_destroy(options));
  CloseJoinDestroy(pool);
}

// What the deadline ended is not run again, and tells how long it ran.
static void DeadlineEndsRetries(void) {
  mproc_pool_t* pool = ReadyPool(1);
  mproc_task_options_t* options = Retry(5, MPROC_RETRY_ON_LOST | MPROC_RETRY_ON_TIMEOUT, 0);
  NEED_OK(mproc_task_options_set_deadline(options, 200 * MPROC_MILLISECOND * TestSlowness()));
  NEED_OK(mproc_task_options_set_grace(options, 0));
  mproc_future_t* future = SubmitWorkWith(pool, fn_stubborn, 0, 70, options);
  WaitEnd(future);
  CHECK_EQ(Outcome(future), MPROC_OUTCOME_TIMED_OUT);
  CHECK_EQ(Info(future, MPROC_FUTURE_INFO_CAUSE), MPROC_CAUSE_DEADLINE);
  CHECK_EQ(Info(future, MPROC_FUTURE_INFO_ATTEMPTS), 1);
  CHECK(Info(future, MPROC_FUTURE_INFO_ELAPSED) > 0);
  Release(future);
  CHECK_EQ(Begun(70), 1);
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_RETRIED), 0);
  CHECK_OK(mproc_task_options_destroy(options));
  CloseJoinDestroy(pool);
}

// ---- cancel

static void CancelWhatRuns(void) {
  mproc_pool_t* pool = ReadyPool(1);
  pid_t pid = WorkerPid(pool, 0);
  mproc_future_t* polite = SubmitWork(pool, fn_spin, 0, 1);
  NEED_SOON(Begun(1));
  CHECK_STATUS(mproc_future_cancel(polite), MPROC_ERROR_ALREADY_STARTED);
  CHECK_OK(mproc_future_cancel_running(polite, TestLong()));
  TakeEnd(polite, MPROC_OUTCOME_CANCELLED, MPROC_CAUSE_CALL);
  CHECK_EQ(Ended(1), 1);
  CHECK_EQ(WorkerPid(pool, 0), pid);  // it returned by itself
  mproc_future_t* rude = SubmitWork(pool, fn_stubborn, 0, 2);
  mproc_future_t* next = SubmitNumber(pool, fn_square, 3);
  NEED_SOON(Begun(2));
  CHECK_OK(mproc_future_cancel_running(rude, 10 * MPROC_MILLISECOND));
  WaitEnd(rude);
  CHECK_HAS(Message(rude), "cancelled while it ran");
  CHECK(Info(rude, MPROC_FUTURE_INFO_ELAPSED) > 0);
  CHECK_STATUS(mproc_future_cancel_running(rude, 0), MPROC_ERROR_ALREADY_STARTED);
  TakeEnd(rude, MPROC_OUTCOME_CANCELLED, MPROC_CAUSE_CALL);
  CHECK_EQ(TakeNumber(next), 9);
  CHECK(TestGone(pid));
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_CANCELLED), 2);
  // What has not begun ends at once.
  mproc_future_t* gate = SubmitWork(pool, fn_gate, 0, 4);
  mproc_future_t* queued = SubmitWork(pool, fn_mark, 0, 5);
  NEED_SOON(Begun(4));
  CHECK_OK(mproc_future_cancel_running(queued, TestLong()));
  CHECK_OK(mproc_future_ready(queued));
  TakeEnd(queued, MPROC_OUTCOME_CANCELLED, MPROC_CAUSE_CALL);
  OpenGate(4);
  TakeReport(gate);
  CHECK_EQ(Begun(5), 0);
  CloseJoinDestroy(pool);
}

static void CancelARunningMap(void) {
  mproc_pool_t* pool = ReadyPool(2);
  Work work = {600000, 8};
  const void* items[10];
  size_t sizes[10];
  for (int i = 0; i < 10; i++) items[i] = &work, sizes[i] = sizeof work;
  mproc_future_t* map = NULL;
  NEED_OK(mproc_pool_map_async(pool, fn_spin_for, items, sizes, 10, 1, MPROC_MAP_STOP_CHUNK, NULL, NULL, NULL,
                               &map));
  NEED_SOON(Begun(8) == 2);
  CHECK_OK(mproc_future_cancel_running(map, 0));
  TakeEnd(map, MPROC_OUTCOME_CANCELLED, MPROC_CAUSE_CALL);
  CHECK_EQ(Begun(8), 2);
  CHECK_EQ(TakeNumber(SubmitNumber(pool, fn_square, 4)), 16);
  CloseJoinDestroy(pool);
}

// ---- retries

static void RetriesAfterEachEnd(void) {
  mproc_pool_t* pool = ReadyPool(2);
  const struct {
    int64_t way;
    int32_t on;
  } cases[] = {{kFlakyExits, MPROC_RETRY_ON_LOST},
               {kFlakyFails, MPROC_RETRY_ON_ERROR},
               {kFlakyHangs, MPROC_RETRY_ON_TIMEOUT}};
  for (int i = 0; i < 3; i++) {
    mproc_task_options_t* options = Retry(3, cases[i].on, MPROC_MILLISECOND);
    if (cases[i].way == kFlakyHangs) {
      NEED_OK(mproc_task_options_set_time_limit(options, 100 * MPROC_MILLISECOND * TestSlowness()));
      NEED_OK(mproc_task_options_set_grace(options, 0));
    }
    Flaky flaky = FlakyOf(cases[i].way, 2, 10 + i);
    mproc_future_t* future = SubmitWith(pool, fn_flaky, &flaky, sizeof flaky, options);
    WaitEnd(future);
    CHECK_EQ(Outcome(future), MPROC_OUTCOME_VALUE);
    CHECK_EQ(NumberOf(future), 3);
    CHECK_EQ(Info(future, MPROC_FUTURE_INFO_ATTEMPTS), 3);
    Release(future);
    CHECK_OK(mproc_task_options_destroy(options));
  }
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_RETRIED), 6);
  CloseJoinDestroy(pool);
}

static void RetriesAreBounded(void) {
  mproc_pool_t* pool = ReadyPool(1);
  mproc_task_options_t* options = Retry(2, MPROC_RETRY_ON_LOST, 0);
  Flaky flaky = FlakyOf(kFlakyExits, 100, 20);
  mproc_future_t* future = SubmitWith(pool, fn_flaky, &flaky, sizeof flaky, options);
  WaitEnd(future);
  CHECK_EQ(Outcome(future), MPROC_OUTCOME_WORKER_LOST);
  CHECK_EQ(Info(future, MPROC_FUTURE_INFO_ATTEMPTS), 3);
  CHECK_EQ(Info(future, MPROC_FUTURE_INFO_EXIT_CODE), 3);
  Release(future);
  CHECK_EQ(Begun(20), 3);
  // After other ends, and without a policy: never.
  flaky = FlakyOf(kFlakyFails, 100, 21);
  TakeEnd(SubmitWith(pool, fn_flaky, &flaky, sizeof flaky, options), MPROC_OUTCOME_ERROR, MPROC_CAUSE_NONE);
  CHECK_EQ(Begun(21), 1);
  flaky = FlakyOf(kFlakyExits, 100, 22);
  TakeEnd(Submit(pool, fn_flaky, &flaky, sizeof flaky), MPROC_OUTCOME_WORKER_LOST, MPROC_CAUSE_EXIT);
  CHECK_EQ(Begun(22), 1);
  CHECK_OK(mproc_task_options_destroy(options));
  CloseJoinDestroy(pool);
}

// What waits for its next attempt can be cancelled, holds a closing pool open, and ends with a terminated
// one.
static void BackOffIsNoTrap(void) {
  mproc_pool_t* pool = ReadyPool(1);
  mproc_task_options_t* options = Retry(5, MPROC_RETRY_ON_ERROR, 3600 * MPROC_SECOND);
  Flaky flaky = FlakyOf(kFlakyFails, 1, 30);
  mproc_future_t* future = SubmitWith(pool, fn_flaky, &flaky, sizeof flaky, options);
  NEED_SOON(Statistic(pool, MPROC_POOL_STATISTIC_RETRIED) == 1);
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_QUEUED), 1);
  CHECK_OK(mproc_future_cancel(future));
  TakeEnd(future, MPROC_OUTCOME_CANCELLED, MPROC_CAUSE_CALL);
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_QUEUED), 0);
  NEED_OK(mproc_task_options_set_retry(options, 5, MPROC_RETRY_ON_ERROR, 50 * MPROC_MILLISECOND));
  flaky = FlakyOf(kFlakyFails, 2, 31);
  future = SubmitWith(pool, fn_flaky, &flaky, sizeof flaky, options);
  CHECK_OK(mproc_pool_close(pool));
  CHECK_OK(mproc_pool_join(pool, TestLong()));
  CHECK_EQ(TakeNumber(future), 3);
  CHECK_OK(mproc_pool_destroy(pool));
  pool = ReadyPool(1);
  NEED_OK(mproc_task_options_set_retry(options, 5, MPROC_RETRY_ON_ERROR, 3600 * MPROC_SECOND));
  flaky = FlakyOf(kFlakyFails, 1, 32);
  future = SubmitWith(pool, fn_flaky, &flaky, sizeof flaky, options);
  NEED_SOON(Statistic(pool, MPROC_POOL_STATISTIC_RETRIED) == 1);
  CHECK_OK(mproc_pool_terminate(pool));
  TakeEnd(future, MPROC_OUTCOME_CANCELLED, MPROC_CAUSE_TERMINATE);
  CHECK_OK(mproc_pool_destroy(pool));
  CHECK_OK(mproc_task_options_destroy(options));
}

// Chunks are run again, too, by themselves.
static void RetriesOfChunks(void) {
  mproc_pool_t* pool = ReadyPool(2);
  mproc_task_options_t* options = Retry(1, MPROC_RETRY_ON_LOST, 0);
  Flaky flaky[8];
  const void* items[8];
  size_t sizes[8];
  for (int i = 0; i < 8; i++) {
    flaky[i] = FlakyOf(kFlakyExits, i == 5, 50 + i);
    items[i] = &flaky[i];
    sizes[i] = sizeof flaky[i];
  }
  mproc_future_t* map = NULL;
  NEED_OK(mproc_pool_map_with(pool, fn_flaky, items, sizes, 8, 1, MPROC_MAP_STOP_CHUNK, options, &map));
  WaitEnd(map);
  CHECK_EQ(Outcome(map), MPROC_OUTCOME_VALUE);
  for (int i = 0; i < 8; i++) CHECK_EQ(Begun(50 + i), i == 5 ? 2 : 1);
  Release(map);
  CHECK_OK(mproc_task_options_destroy(options));
  CloseJoinDestroy(pool);
}

// ---- bad input

static void BadOptions(void) {
  mproc_task_options_t* options = TaskOptions();
  CHECK_STATUS(mproc_task_options_create(NULL), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_task_options_set_time_limit(options, 0), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_task_options_set_deadline(options, -1), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_task_options_set_retry(options, -1, 0, 0), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_task_options_set_retry(options, 256, 0, 0), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_task_options_set_retry(options, 1, 8, 0), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_task_options_set_grace(NULL, 0), MPROC_ERROR_INVALID_ARGUMENT);
  mproc_pool_t* pool = ReadyPool(1);
  NEED_OK(mproc_task_options_set_time_limit(options, MPROC_FOREVER - 1));
  NEED_OK(mproc_task_options_set_grace(options, MPROC_FOREVER));
  NEED_OK(mproc_task_options_set_deadline(options, MPROC_FOREVER - 1));
  CHECK_EQ(TakeReport(SubmitWorkWith(pool, fn_sleep, 0, 1, options)).value, 1);
  CHECK_EQ(TakeReport(SubmitWorkWith(pool, fn_sleep, 0, 2, NULL)).value, 2);
  CHECK_OK(mproc_task_options_destroy(options));
  mproc_future_t* future = NULL;
  CHECK_STATUS(mproc_pool_submit_with(pool, fn_noop, NULL, 0, options, &future), MPROC_ERROR_STALE_HANDLE);
  CHECK_STATUS(mproc_task_options_destroy(options), MPROC_ERROR_STALE_HANDLE);
  CHECK_STATUS(mproc_future_cancel_running(NULL, 0), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_OK(mproc_task_options_destroy(NULL));
  CloseJoinDestroy(pool);
}

int main(int argc, char** argv) {
  static const TestCase cases[] = {
      {"limit kills only its task", LimitKillsOnlyItsTask, 0},
      {"limit counts from the start", LimitCountsFromTheStart, 0},
      {"soft limit is seen", SoftLimitIsSeen, 0},
      {"limits of many", LimitsOfMany, 0},
      {"limits of chunks", LimitsOfChunks, 0},
      {"deadline of the whole", DeadlineOfTheWhole, 0},
      {"deadline ends retries", DeadlineEndsRetries, 0},
      {"cancel what runs", CancelWhatRuns, 0},
      {"cancel a running map", CancelARunningMap, 0},
      {"retries after each end", RetriesAfterEachEnd, 0},
      {"retries are bounded", RetriesAreBounded, 0},
      {"back-off is no trap", BackOffIsNoTrap, 0},
      {"retries of chunks", RetriesOfChunks, 0},
      {"bad options", BadOptions, 0},
  };
  return TEST_MAIN(argc, argv, cases);
}
