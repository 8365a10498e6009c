// SPDX-License-Identifier: MIT
// Whole programs' worth of behaviour that users of process pools rely on, each as one case. D is the unit of
// sleep; a time bound allows half as much again and 150 ms, and clocks start when every worker has run a
// task.
#include <pthread.h>

#include "host.h"

enum { kD = 300 };  // ms
static const int64_t kUnit = kD * MPROC_MILLISECOND;

static int64_t AtMost(int64_t span) { return span * 3 / 2 + 150 * MPROC_MILLISECOND * TestSlowness(); }

static void CheckSpan(int64_t begin, int64_t least) {
  int64_t span = TestNow() - begin;
  if (span < least || span > AtMost(least)) {
    TestFail(__FILE__, __LINE__, "it took %lld ms, not %lld to %lld", (long long)(span / MPROC_MILLISECOND),
             (long long)(least / MPROC_MILLISECOND), (long long)(AtMost(least) / MPROC_MILLISECOND));
  }
}

// ---- what callbacks saw

typedef struct {
  atomic_int values, errors;
  atomic_int elsewhere;  // called in another process or on another thread than the first
  atomic_int early;      // called before `ended` was set
  atomic_int ended;
  int64_t first[64];  // values in order of arrival
  pid_t pid;
  pthread_t thread;
  int32_t outcome, cause, code;  // of the last error
} Calls;

static void Note(Calls* calls) {
  if (atomic_load(&calls->values) + atomic_load(&calls->errors) == 0) calls->thread = pthread_self();
  if (getpid() != calls->pid || !pthread_equal(calls->thread, pthread_self())) calls->elsewhere++;
  if (!atomic_load(&calls->ended)) calls->early++;
}
static void OnValue(mproc_future_t* future, void* user_data) {
  Calls* calls = user_data;
  Note(calls);
  int at = atomic_load(&calls->values);
  const void* data = NULL;
  size_t size = 0;
  if (mproc_future_result(future, &data, &size) == MPROC_OK && at < 64) memcpy(&calls->first[at], data, 8);
  atomic_fetch_add(&calls->values, 1);
}
static void OnError(mproc_future_t* future, void* user_data) {
  Calls* calls = user_data;
  Note(calls);
  calls->outcome = Outcome(future);
  calls->cause = (int32_t)Info(future, MPROC_FUTURE_INFO_CAUSE);
  calls->code = (int32_t)Info(future, MPROC_FUTURE_INFO_ERROR_CODE);
  atomic_fetch_add(&calls->errors, 1);
}
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
static int Distinct(const int64_t* values, int count) {
  int distinct = 0;
  for (int i = 0; i < count; i++) {
    bool seen = false;
    for (int k = 0; k < i; k++) seen |= values[k] == values[i];
    distinct += !seen;
  }
  return distinct;
}
static bool Overlap(const Report* a, const Report* b) { return a->begin < b->end && b->begin < a->end; }
static bool EndsWith(const char* text, const char* end) {
  return strlen(text) >= strlen(end) && strcmp(text + strlen(text) - strlen(end), end) == 0;
}

// ---- S10: five workers, ten tasks with callbacks

static void CallbacksOfTenTasks(void) {
  Calls calls = {0};
  mproc_future_t* futures[10];
  mproc_pool_t* pool = ReadyPool(5);
  WarmUp(pool, 5);
  int64_t begin = TestNow();
  for (int i = 0; i < 10; i++) futures[i] = SubmitCalled(pool, fn_add100, kD, i, &calls);
  atomic_store(&calls.ended, 1);  // what the program calls 'end'
  CHECK(TestNow() - begin < kUnit);
  CHECK_STATUS(mproc_pool_join(pool, 0), MPROC_ERROR_STILL_RUNNING);
  CHECK_OK(mproc_pool_close(pool));
  CHECK_OK(mproc_pool_join(pool, TestLong()));
  CheckSpan(begin, 2 * kUnit);
  CHECK_EQ(calls.values, 10);
  CHECK_EQ(calls.errors, 0);
  CHECK_EQ(calls.early, 0);
  CHECK_EQ(calls.elsewhere, 0);
  CHECK(!pthread_equal(calls.thread, pthread_self()));
  int64_t wanted[10];
  for (int i = 0; i < 10; i++) wanted[i] = 100 + i;
  CHECK_EQ(CountAmong(calls.first, 10, wanted, 10), 10);
  for (int i = 0; i < 10; i++) {
    Report report = TakeReport(futures[i]);
    CHECK_EQ(report.value, 100 + i);
    CHECK(report.pid != getpid());
  }
  CHECK_OK(mproc_pool_destroy(pool));
}

// ---- S11: the same, one at a time

static void BlockingCallsInOrder(void) {
  mproc_pool_t* pool = ReadyPool(5);
  WarmUp(pool, 5);
  int64_t begin = TestNow(), last = begin;
  for (int i = 0; i < 10; i++) {
    Work work = {kD, i};
    mproc_future_t* future = NULL;
    NEED_OK(mproc_pool_apply(pool, fn_add100, &work, sizeof work, TestLong(), &future));
    CHECK_OK(mproc_future_ready(future));
    Report report = TakeReport(future);
    CHECK_EQ(report.value, 100 + i);
    CHECK(report.begin >= last);
    last = report.end;
  }
  CHECK(TestNow() >= last);  // 'end' comes after all
  CheckSpan(begin, 10 * kUnit);
  CloseJoinDestroy(pool);
}

// ---- S12: two workers, four calls

static void CallsDoNotOverlap(void) {
  Report reports[4];
  int64_t read[4], pids[4];
  mproc_pool_t* pool = ReadyPool(2);
  WarmUp(pool, 2);
  int64_t begin = TestNow();
  for (int i = 0; i < 4; i++) {
    Work work = {kD, i + 1};
    mproc_future_t* future = NULL;
    NEED_OK(mproc_pool_apply(pool, fn_pow10, &work, sizeof work, MPROC_FOREVER, &future));
    reports[i] = TakeReport(future);
    read[i] = TestNow();
    pids[i] = reports[i].pid;
  }
  CHECK(TestNow() - begin >= 4 * kUnit);
  CHECK(Distinct(pids, 4) <= 2);
  const int64_t wanted[4] = {1, 1024, 59049, 1048576};
  for (int i = 0; i < 4; i++) {
    CHECK_EQ(reports[i].value, wanted[i]);
    CHECK(reports[i].pid != getpid());
    CHECK(EndsWith(reports[i].name, "PoolWorker-1") || EndsWith(reports[i].name, "PoolWorker-2"));
    for (int k = 0; k < i; k++) CHECK(!Overlap(&reports[i], &reports[k]));
    if (i > 0) CHECK(read[i - 1] <= reports[i].begin);
  }
  CloseJoinDestroy(pool);
}

// ---- S13: a map of four

static void MapKeepsOrder(void) {
  const int64_t bases[4] = {1, 2, 5, 10}, wanted[4] = {1, 1024, 9765625, INT64_C(10000000000)};
  Work works[4];
  Report reports[4];
  int64_t pids[4];
  mproc_future_t* future = NULL;
  mproc_pool_t* pool = ReadyPool(2);
  WarmUp(pool, 2);
  for (int i = 0; i < 4; i++) works[i] = (Work){kD, bases[i]};
  int64_t begin = TestNow();
  NEED_OK(mproc_pool_map_array(pool, fn_pow10, works, sizeof works[0], 4, reports, sizeof reports[0],
                               MPROC_CHUNK_AUTO, TestLong(), &future));
  CheckSpan(begin, 2 * kUnit);
  CHECK_EQ(Outcome(future), MPROC_OUTCOME_VALUE);
  for (int i = 0; i < 4; i++) {
    CHECK_EQ(reports[i].value, wanted[i]);
    CHECK(reports[i].pid != getpid());
    pids[i] = reports[i].pid;
  }
  CHECK(Overlap(&reports[0], &reports[1]));
  CHECK_EQ(Distinct(pids, 4), 2);
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

// ---- S14: four tasks with callbacks, results asked for after the end

static void CallbackBeforeResult(void) {
  Calls calls[4] = {{0}};
  mproc_future_t* futures[4];
  mproc_pool_t* pool = ReadyPool(2);
  WarmUp(pool, 2);
  for (int i = 0; i < 4; i++) {
    futures[i] = SubmitCalled(pool, fn_pow10, kD, i + 1, &calls[i]);
    atomic_store(&calls[i].ended, 1);
  }
  for (int i = 0; i < 4; i++) {
    CHECK_STATUS(mproc_future_ready(futures[i]), MPROC_ERROR_NOT_READY);
    CHECK_EQ(calls[i].values, 0);
  }
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
  for (int i = 0; i < 4; i++) futures[i] = SubmitCalled(pool, fn_pow10, 10 * kD, i + 1, &calls[i]);
  CHECK_SOON(Statistic(pool, MPROC_POOL_STATISTIC_RUNNING) == 2);
  int64_t begin = TestNow();
  CHECK_OK(mproc_pool_destroy(pool));
  CHECK(TestNow() - begin < AtMost(kUnit));
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
  int64_t launcher = -1;
  CHECK_OK(mproc_runtime_launcher_pid(&launcher));
  pid_t left[4];
  CHECK_SOON(TestMarked(left, 4) == 1 && left[0] == launcher);
}

// ---- S16: endless tasks, ended from elsewhere

enum { kFinite = 100 };  // its cell

typedef struct {
  mproc_pool_t* pool;
  mproc_future_t *finite, *map;
} Endless;

static void StartEndless(Endless* endless) {
  static Work works[10];
  const void* items[10];
  size_t sizes[10];
  endless->pool = ReadyPool(5);
  WarmUp(endless->pool, 5);
  endless->finite = SubmitWork(endless->pool, fn_gate, 0, kFinite);
  NEED_SOON(Begun(kFinite) == 1);
  for (int i = 0; i < 10; i++) {
    works[i] = (Work){0, i};
    items[i] = &works[i];
    sizes[i] = sizeof works[i];
  }
  NEED_OK(mproc_pool_map_async(endless->pool, fn_gate, items, sizes, 10, 1, MPROC_MAP_STOP_CHUNK, NULL, NULL,
                               NULL, &endless->map));
  NEED_SOON(CountBegun(0, 4) == 4);
  // None but items 0 to 3 can run until the finite task has ended: give the others time to do so wrongly.
  TestRest(2 * kUnit);
  CHECK_EQ(CountBegun(0, 10), 4);
  int64_t freed = TestNow();
  OpenGate(kFinite);
  Report report = TakeReport(endless->finite);
  CHECK_SOON(Begun(4) == 1);
  CHECK(TestNow() - freed < AtMost(kUnit));
  CHECK_EQ(atomic_load(&g_board->pid[4]), report.pid);
  TestRest(kUnit);
  CHECK_EQ(CountBegun(0, 10), 5);
  CHECK_STATUS(mproc_future_ready(endless->map), MPROC_ERROR_NOT_READY);
}
static void EndEndless(Endless* endless, int64_t begin) {
  CHECK_STATUS(mproc_future_error(endless->map), MPROC_ERROR_CANCELLED);
  CHECK_EQ(Info(endless->map, MPROC_FUTURE_INFO_CAUSE), MPROC_CAUSE_TERMINATE);
  CHECK_OK(mproc_pool_join(endless->pool, TestLong()));
  CHECK(TestNow() - begin < MPROC_SECOND * TestSlowness());
  CHECK_EQ(CountBegun(0, 10), 5);
  Release(endless->map);
  CHECK_OK(mproc_pool_destroy(endless->pool));
}

static _Atomic int64_t g_terminated;

static void* TerminateLater(void* pool) {
  TestRest(kUnit);
  atomic_store(&g_terminated, TestNow());
  CHECK_OK(mproc_pool_terminate(pool));
  return NULL;
}
static void TerminatedByThread(void) {
  Endless endless;
  pthread_t thread;
  StartEndless(&endless);
  NEED(pthread_create(&thread, NULL, TerminateLater, endless.pool) == 0);
  CHECK_OK(mproc_future_wait(endless.map, TestLong()));
  CHECK(atomic_load(&g_terminated) != 0);
  EndEndless(&endless, atomic_load(&g_terminated));
  pthread_join(thread, NULL);
}

static atomic_int g_signals;
static void OnSignal(int number) {
  (void)number;
  atomic_fetch_add(&g_signals, 1);
}
static void TerminatedBySignal(void) {
  Endless endless;
  struct sigaction action = {.sa_handler = OnSignal, .sa_flags = SA_RESTART};
  NEED(sigaction(SIGUSR1, &action, NULL) == 0);
  StartEndless(&endless);
  timer_t timer;
  struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
  struct itimerspec when = {{0, 0}, {0, kUnit}};
  NEED(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0 && timer_settime(timer, 0, &when, NULL) == 0);
  // The waiting main program gets its turn after the handler, and decides to end.
  CHECK_STATUS(mproc_future_wait(endless.map, TestLong()), MPROC_ERROR_INTERRUPTED);
  CHECK_EQ(atomic_load(&g_signals), 1);
  int64_t begin = TestNow();
  CHECK_OK(mproc_pool_terminate(endless.pool));
  WaitEnd(endless.map);
  EndEndless(&endless, begin);
  timer_delete(timer);
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
    const void* data = NULL;
    size_t size = 0;
    int64_t square = -1;
    if (i == 6) {
      CHECK_STATUS(mproc_future_item(future, i, &data, &size), MPROC_ERROR_TASK);
      continue;
    }
    CHECK_EQ(Begun((int64_t)i), 1);
    if (CHECK_OK(mproc_future_item(future, i, &data, &size)) && CHECK_EQ(size, sizeof square)) {
      memcpy(&square, data, sizeof square);
    }
    CHECK_EQ(square, i * i);
  }
  Release(future);
  CloseJoinDestroy(pool);
}

int main(int argc, char** argv) {
  static const TestCase cases[] = {
      {"S10 callbacks of ten tasks", CallbacksOfTenTasks, 0},
      {"S11 blocking calls in order", BlockingCallsInOrder, 0},
      {"S12 calls do not overlap", CallsDoNotOverlap, 0},
      {"S13 map keeps order", MapKeepsOrder, 0},
      {"S14 callback before result", CallbackBeforeResult, 0},
      {"S15 dropped pool cuts off", DroppedPoolCutsOff, 0},
      {"S16 endless map, terminated by a thread", TerminatedByThread, 0},
      {"S16 endless map, terminated on a signal", TerminatedBySignal, 0},
      {"S19 join waits for all", JoinWaitsForAll, 0},
      {"S33 one of ten tasks fails", OneOfTenTasksFails, 0},
      {"S33 one of ten items fails", OneOfTenItemsFails, 0},
  };
  return TEST_MAIN(argc, argv, cases);
}
