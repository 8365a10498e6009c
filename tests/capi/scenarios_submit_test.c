// SPDX-License-Identifier: MIT
// Scenarios of single tasks: S10 to S12, S14, S15, S18, S19, S33.
#include "scenarios.h"

enum { kShortD = kD / 10 };  // where tasks follow each other in any case

static mproc_future_t* SubmitCalled(mproc_pool_t* pool, uint32_t function, int64_t ms, int64_t value,
                                    Calls* calls) {
  Work work = {ms, value};
  mproc_future_t* future = NULL;
  calls->pid = getpid();
  NEED_OK(mproc_pool_submit_callback(pool, function, &work, sizeof work, MPROC_FOREVER, OnValue, OnError,
                                     calls, &future));
  return future;
}

// How many of the values are among those wanted, each counted once.
static int CountAmong(const int64_t* values, int count, const int64_t* wanted, int wanted_count) {
  int found = 0;
  for (int w = 0; w < wanted_count; w++) {
    int times = 0;
    for (int i = 0; i < count; i++) times += values[i] == wanted[w];
    found += times == 1;
  }
  return found;
}
// ---- S10: five workers, ten tasks with callbacks

static void CallbacksOfTenTasks(void) {
  Calls calls = {0};
  mproc_future_t* futures[10];
  Report reports[10];
  mproc_pool_t* pool = ReadyPool(5);
  WarmUp(pool, 5);
  int64_t begin = TestNow();
  for (int i = 0; i < 10; i++) futures[i] = SubmitCalled(pool, fn_add100, kD, i, &calls);
  atomic_store(&calls.ended, 1);  // what the program calls 'end'
  int64_t submitted = TestNow() - begin;
  CHECK(submitted < Promptly());
  CHECK_STATUS(mproc_pool_join(pool, 0), MPROC_ERROR_STILL_RUNNING);
  CHECK_OK(mproc_pool_close(pool));
  CHECK_OK(mproc_pool_join(pool, TestLong()));
  int64_t span = TestNow() - begin;
  CHECK(span >= 2 * kUnit);
  CHECK(span < 5 * kUnit * TestSlowness());  // what two workers would take
  CHECK_EQ(calls.values, 10);
  CHECK_EQ(calls.errors, 0);
  CHECK(calls.early == 0 || submitted >= kUnit);
  CHECK_EQ(calls.elsewhere, 0);
  CHECK(!pthread_equal(calls.thread, pthread_self()));
  int64_t wanted[10], threads[10];
  for (int i = 0; i < 10; i++) wanted[i] = 100 + i;
  CHECK_EQ(CountAmong(calls.first, 10, wanted, 10), 10);
  for (int i = 0; i < 10; i++) {
    reports[i] = TakeReport(futures[i]);
    CHECK_EQ(reports[i].value, 100 + i);
    CheckWorker(&reports[i]);
    threads[i] = reports[i].thread;
  }
  CHECK_EQ(Distinct(threads, 10), 5);
  CHECK(MostAtOnce(reports, 10) <= 5);
  CHECK_OK(mproc_pool_destroy(pool));
}

// ---- S11: the same, one at a time

static void BlockingCallsInOrder(void) {
  mproc_pool_t* pool = ReadyPool(5);
  WarmUp(pool, 5);
  int64_t begin = TestNow(), last = begin;
  for (int i = 0; i < 10; i++) {
    Work work = {kShortD, i};
    mproc_future_t* future = NULL;
    NEED_OK(mproc_pool_apply(pool, fn_add100, &work, sizeof work, TestLong(), &future));
    CHECK_OK(mproc_future_ready(future));
    Report report = TakeReport(future);
    CHECK_EQ(report.value, 100 + i);
    CHECK(report.begin >= last);
    last = report.end;
  }
  CHECK(TestNow() >= last);  // 'end' comes after all
  CHECK(TestNow() - begin >= 10 * kShortD * MPROC_MILLISECOND);
  CloseJoinDestroy(pool);
}

// ---- S12: two workers, four calls

static void CallsDoNotOverlap(void) {
  Report reports[4];
  int64_t read[4], threads[4];
  mproc_pool_t* pool = ReadyPool(2);
  WarmUp(pool, 2);
  int64_t begin = TestNow();
  for (int i = 0; i < 4; i++) {
    Work work = {kShortD, i + 1};
    mproc_future_t* future = NULL;
    NEED_OK(mproc_pool_apply(pool, fn_pow10, &work, sizeof work, MPROC_FOREVER, &future));
    reports[i] = TakeReport(future);
    read[i] = TestNow();
    threads[i] = reports[i].thread;
  }
  CHECK(TestNow() - begin >= 4 * kShortD * MPROC_MILLISECOND);
  CHECK(Distinct(threads, 4) <= 2);
  const int64_t wanted[4] = {1, 1024, 59049, 1048576};
  for (int i = 0; i < 4; i++) {
    CHECK_EQ(reports[i].value, wanted[i]);
    CheckWorker(&reports[i]);
    CHECK(EndsWith(reports[i].name, "PoolWorker-1") || EndsWith(reports[i].name, "PoolWorker-2"));
    for (int k = 0; k < i; k++) CHECK(!Overlap(&reports[i], &reports[k]));
    if (i > 0) CHECK(read[i - 1] <= reports[i].begin);
  }
  CloseJoinDestroy(pool);
}

// ---- S14: four tasks with callbacks, results asked for after the end

static void CallbackBeforeResult(void) {
  Calls calls[4] = {{0}};
  mproc_future_t* futures[4];
  mproc_pool_t* pool = ReadyPool(2);
  WarmUp(pool, 2);
  int64_t begin = TestNow();
  for (int i = 0; i < 4; i++) futures[i] = SubmitCalled(pool, fn_pow10, kD, i + 1, &calls[i]);
  bool pending = true;
  for (int i = 0; i < 4; i++) {
    pending &= mproc_future_ready(futures[i]) == MPROC_ERROR_NOT_READY && calls[i].values == 0;
  }
  CHECK(pending || TestNow() - begin >= kUnit);
  CHECK_OK(mproc_pool_close(pool));
  const int64_t wanted[4] = {1, 1024, 59049, 1048576};
  for (int i = 0; i < 4; i++) {
    WaitEnd(futures[i]);
    CHECK_EQ(calls[i].values, 1);  // its callback has returned before its wait does
    CHECK_EQ(ReportOf(futures[i]).value, wanted[i]);
    CHECK_EQ(calls[i].first[0], wanted[i]);
  }
  CHECK_OK(mproc_pool_join(pool, TestLong()));
  for (int i = 0; i < 4; i++) {
    CHECK_EQ(calls[i].values + calls[i].errors, 1);
    CHECK_EQ(calls[i].elsewhere, 0);
    CHECK(pthread_equal(calls[i].thread, calls[0].thread));
    Release(futures[i]);
  }
  CHECK_OK(mproc_pool_destroy(pool));
}

// ---- S15: the same, the pool is dropped at once

static void DroppedPoolCutsOff(void) {
  Calls calls[4] = {{0}};
  mproc_future_t* futures[4];
  mproc_pool_t* pool = ReadyPool(2);
  WarmUp(pool, 2);
  for (int i = 0; i < 4; i++) futures[i] = SubmitCalled(pool, fn_pow10, 1000 * kD, i + 1, &calls[i]);
  CHECK_SOON(Statistic(pool, MPROC_POOL_STATISTIC_RUNNING) == 2);
  int64_t begin = TestNow();
  CHECK_OK(mproc_pool_destroy(pool));
  CHECK(TestNow() - begin < Promptly());
  int values = 0;
  for (int i = 0; i < 4; i++) {
    CHECK_OK(mproc_future_ready(futures[i]));
    CHECK_EQ(calls[i].values + calls[i].errors, 1);
    values += calls[i].values;
    CHECK_EQ(calls[i].outcome, MPROC_OUTCOME_CANCELLED);
    CHECK_EQ(calls[i].cause, MPROC_CAUSE_DESTROY);
    CHECK_STATUS(mproc_future_error(futures[i]), MPROC_ERROR_CANCELLED);
    Release(futures[i]);
  }
  CHECK_EQ(values, 0);
  CHECK_SOON(TestMarked(NULL, 0) <= 1 + TestForked());  // no worker, perhaps the launcher and its template
}

// ---- S18: positional and named arguments, in one value

static void PutNames(mproc_value_t* value) {
  CHECK_OK(mproc_value_begin_map(value));
  CHECK_OK(mproc_value_put_string(value, "name", 4));
  CHECK_OK(mproc_value_put_string(value, "f\0o\xc3\xb6", 5));
  CHECK_OK(mproc_value_put_string(value, "plus", 4));
  CHECK_OK(mproc_value_put_int(value, -5));
  CHECK_OK(mproc_value_put_string(value, "nothing", 7));
  CHECK_OK(mproc_value_put_nil(value));
  CHECK_OK(mproc_value_put_string(value, "ratio", 5));
  CHECK_OK(mproc_value_put_double(value, 0.1));
  CHECK_OK(mproc_value_end(value));
}
static void ArgumentsOfAllKinds(void) {
  mproc_value_t* value = NULL;
  const void *data = NULL, *back = NULL;
  size_t size = 0, back_size = 0;
  NEED_OK(mproc_value_create(&value));
  CHECK_OK(mproc_value_begin_list(value));
  CHECK_OK(mproc_value_put_int(value, 3));
  CHECK_OK(mproc_value_put_int(value, 4));
  PutNames(value);
  CHECK_OK(mproc_value_end(value));
  NEED_OK(mproc_value_encode(value, &data, &size));
  mproc_pool_t* pool = ReadyPool(2);
  CHECK_EQ(TakeNumber(Submit(pool, fn_power, data, size)), 81 - 5);
  mproc_future_t* future = Submit(pool, fn_echo, data, size);
  WaitEnd(future);
  CHECK_OK(mproc_future_result(future, &back, &back_size));
  CHECK(back_size == size && memcmp(back, data, size) == 0);
  Release(future);
  CHECK_OK(mproc_value_destroy(value));
  CloseJoinDestroy(pool);
}

// ---- S19: nobody asks for results

static void JoinWaitsForAll(void) {
  enum { kTasks = 50 };
  mproc_pool_t* pool = ReadyPool(4);
  mproc_future_t* future = NULL;
  for (int i = 0; i < kTasks; i++) Release(SubmitWork(pool, fn_mark, 20, i));
  CHECK_OK(mproc_pool_close(pool));
  CHECK_STATUS(mproc_pool_submit(pool, fn_noop, NULL, 0, MPROC_FOREVER, &future), MPROC_ERROR_NOT_RUNNING);
  CHECK_STATUS(mproc_pool_submit_callback(pool, fn_noop, NULL, 0, 0, NULL, NULL, NULL, NULL),
               MPROC_ERROR_NOT_RUNNING);
  CHECK_STATUS(mproc_pool_apply(pool, fn_noop, NULL, 0, MPROC_FOREVER, &future), MPROC_ERROR_NOT_RUNNING);
  CHECK_STATUS(mproc_pool_map(pool, fn_noop, NULL, NULL, 3, 1, 0, MPROC_FOREVER, &future),
               MPROC_ERROR_NOT_RUNNING);
  CHECK_STATUS(mproc_pool_map_array_async(pool, fn_noop, NULL, 0, 3, NULL, 0, 1, NULL, NULL, NULL, NULL),
               MPROC_ERROR_NOT_RUNNING);
  CHECK_OK(mproc_pool_join(pool, TestLong()));
  for (int i = 0; i < kTasks; i++) {
    CHECK_EQ(Begun(i), 1);
    CHECK_EQ(Ended(i), 1);
  }
  CHECK_STATUS(mproc_pool_submit(pool, fn_noop, NULL, 0, MPROC_FOREVER, &future), MPROC_ERROR_NOT_RUNNING);
  CHECK_OK(mproc_pool_destroy(pool));
}

// ---- S33: one of ten fails

static void OneOfTenTasksFails(void) {
  Calls calls[10] = {{0}};
  mproc_future_t* futures[10];
  mproc_pool_t* pool = ReadyPool(3);
  for (int64_t i = 0; i < 10; i++) {
    int64_t value = i == 6 ? -77 : i;
    calls[i].pid = getpid();
    NEED_OK(mproc_pool_submit_callback(pool, fn_square, &value, sizeof value, MPROC_FOREVER, OnValue, OnError,
                                       &calls[i], &futures[i]));
  }
  for (int i = 0; i < 10; i++) {
    WaitEnd(futures[i]);
    CHECK_EQ(calls[i].values, i != 6);
    CHECK_EQ(calls[i].errors, i == 6);
    if (i != 6) {
      CHECK_EQ(NumberOf(futures[i]), i * i);
      CHECK_EQ(Begun(i), 1);
    }
  }
  const void* data;
  size_t size;
  const char* type = NULL;
  CHECK_STATUS(mproc_future_result(futures[6], &data, &size), MPROC_ERROR_TASK);
  CHECK_STATUS(mproc_future_error(futures[6]), MPROC_ERROR_TASK);
  CHECK_EQ(Info(futures[6], MPROC_FUTURE_INFO_ERROR_CODE), 77);
  CHECK_OK(mproc_future_error_type(futures[6], &type));
  CHECK_HAS(type, "TestError");
  CHECK_HAS(Message(futures[6]), "negative");
  for (int i = 0; i < 10; i++) Release(futures[i]);
  CloseJoinDestroy(pool);
}

int main(int argc, char** argv) {
  static const TestCase cases[] = {
      {"S10 callbacks of ten tasks", CallbacksOfTenTasks, 0},
      {"S11 blocking calls in order", BlockingCallsInOrder, 0},
      {"S12 calls do not overlap", CallsDoNotOverlap, 0},
      {"S14 callback before result", CallbackBeforeResult, 0},
      {"S15 dropped pool cuts off", DroppedPoolCutsOff, 0},
      {"S18 arguments of all kinds", ArgumentsOfAllKinds, 0},
      {"S19 join waits for all", JoinWaitsForAll, 0},
      {"S33 one of ten tasks fails", OneOfTenTasksFails, 0},
  };
  return TEST_MAIN(argc, argv, cases);
}
