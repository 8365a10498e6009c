// SPDX-License-Identifier: MIT
// Start method threads: workers are threads of the host, and share all that it has.
#include <pthread.h>
#include <sys/syscall.h>

#include "host.h"

static int64_t g_memory;      // workers see the host's
static atomic_int g_stuck;    // functions that are in StayInside
static atomic_int g_release;  // lets them go on

// ---- what workers run

enum { own_where = 1, own_memory, own_inside, own_ask, own_leave, own_fail, own_setup, own_nested };

#define OWN(name) static int32_t name(mproc_call_t* call, const void* input, size_t size, void* user_data)
static int32_t Give(mproc_call_t* call, int64_t number) {
  return mproc_call_reply(call, &number, sizeof number);
}
static int64_t NumberIn(const void* input, size_t size) {
  int64_t number = 0;
  if (size == sizeof number) memcpy(&number, input, size);
  return number;
}

typedef struct {
  int64_t pid, tid, method, is_worker, blocked;
  char name[32], thread[16];
} Where;
OWN(GiveWhere) {
  Where where = {getpid(), syscall(SYS_gettid), mproc_worker_start_method(), mproc_worker_is_worker(), 0, "",
                 ""};
  sigset_t mask;
  (void)user_data;
  pthread_sigmask(SIG_SETMASK, NULL, &mask);
  for (int signo = 1; signo < 32; signo++) where.blocked += sigismember(&mask, signo);
  snprintf(where.name, sizeof where.name, "%s", mproc_call_worker_name(call));
  pthread_getname_np(pthread_self(), where.thread, sizeof where.thread);
  TestRest(NumberIn(input, size));
  return mproc_call_reply(call, &where, sizeof where);
}
OWN(AddToMemory) {
  int64_t* memory = user_data;
  return Give(call, __atomic_add_fetch(memory, NumberIn(input, size), __ATOMIC_RELAXED));
}
// Minds nothing but the test.
OWN(StayInside) {
  (void)input, (void)size, (void)user_data;
  atomic_fetch_add(&g_stuck, 1);
  while (!atomic_load(&g_release)) TestRest(MPROC_MILLISECOND);
  atomic_fetch_sub(&g_stuck, 1);
  return Give(call, 1);
}
// Runs until it is told to stop.
OWN(Ask) {
  int64_t looks = 0;
  (void)input, (void)size, (void)user_data;
  atomic_fetch_add(&g_stuck, 1);
  for (; !mproc_call_cancelled(call); looks++) TestRest(MPROC_MILLISECOND);
  atomic_fetch_sub(&g_stuck, 1);
  return Give(call, looks);
}
OWN(Leave) {
  (void)call, (void)input, (void)size, (void)user_data;
  pthread_exit(NULL);
}
OWN(Fail) {
  (void)user_data;
  return mproc_call_fail(call, (int32_t)NumberIn(input, size), "TestError", "as asked", "here");
}
static _Thread_local int64_t t_set_up;  // how often
OWN(SetUp) {
  (void)input, (void)user_data;
  if (size == 4) return mproc_call_fail(call, 5, "", "no licence found", NULL);
  t_set_up++;
  atomic_fetch_add(&g_board->initialized, 1);
  return 0;
}
static mproc_pool_options_t* OwnOptions(int32_t workers);
// A pool of its own, of threads as well.
OWN(Nested) {
  int64_t number = 3;
  mproc_future_t* future = NULL;
  mproc_pool_t* pool = NULL;
  mproc_pool_options_t* options = OwnOptions(2);
  (void)input, (void)size, (void)user_data;
  int32_t status = mproc_pool_create(options, &pool);
  if (!status) status = mproc_pool_apply(pool, own_memory, &number, sizeof number, TestLong(), &future);
  if (status) return mproc_call_fail(call, status, "", mproc_last_error_message(), NULL);
  mproc_future_release(future);
  mproc_pool_options_destroy(options);
  status = mproc_pool_destroy(pool);
  return status ? status : Give(call, t_set_up);
}

static mproc_pool_options_t* OwnOptions(int32_t workers) {
  mproc_table_t* table = NULL;
  NEED_OK(mproc_table_create(&table));
  NEED_OK(mproc_table_add(table, own_where, "where", GiveWhere, NULL));
  NEED_OK(mproc_table_add(table, own_memory, "memory", AddToMemory, &g_memory));
  NEED_OK(mproc_table_add(table, own_inside, "inside", StayInside, NULL));
  NEED_OK(mproc_table_add(table, own_ask, "ask", Ask, NULL));
  NEED_OK(mproc_table_add(table, own_leave, "leave", Leave, NULL));
  NEED_OK(mproc_table_add(table, own_fail, "fail", Fail, NULL));
  NEED_OK(mproc_table_add(table, own_setup, "set up", SetUp, NULL));
  NEED_OK(mproc_table_add(table, own_nested, "nested", Nested, NULL));
  return TableOptions(workers, MPROC_START_THREADS, table);
}
static mproc_pool_t* OwnPool(int32_t workers) { return ReadyWith(OwnOptions(workers)); }

// The same with the test module, which this process loads.
static mproc_pool_t* ModulePool(int32_t workers) {
  mproc_pool_options_t* options = Options(workers);
  NEED_OK(mproc_pool_options_set_start_method(options, MPROC_START_THREADS));
  return ReadyWith(options);
}

// ---- what a worker is

static void WorkersAreThreads(void) {
  enum { kWorkers = 4 };
  Where where[kWorkers];
  mproc_future_t* futures[kWorkers];
  int64_t launcher = -1;
  g_memory = 0;
  mproc_pool_t* pool = OwnPool(kWorkers);
  CHECK_OK(mproc_runtime_launcher_pid(&launcher));
  CHECK_EQ(launcher, 0);
  bool all = false;
  for (int round = 0; round < 20 && !all; round++) {  // until each has had one
    all = true;
    for (int i = 0; i < kWorkers; i++) futures[i] = SubmitNumber(pool, own_where, 20 * MPROC_MILLISECOND);
    for (int i = 0; i < kWorkers; i++) {
      WaitEnd(futures[i]);
      CHECK_EQ(Info(futures[i], MPROC_FUTURE_INFO_WORKER_PID), getpid());
      ReadValue(futures[i], &where[i], sizeof where[i]);
      Release(futures[i]);
      CHECK_EQ(where[i].pid, getpid());
      CHECK(where[i].tid != getpid());
      CHECK_EQ(where[i].method, MPROC_START_THREADS);
      CHECK_EQ(where[i].is_worker, 0);
      CHECK_EQ(where[i].blocked, 29);  // all but SIGKILL and SIGSTOP
      CHECK_HAS(where[i].name, "ThreadPoolWorker-");
      CHECK_HAS(where[i].thread, "mproc-worker");
      for (int k = 0; k < i; k++) all &= where[k].tid != where[i].tid;
    }
  }
  CHECK(all);
  for (int i = 0; i < kWorkers; i++) CHECK_EQ(WorkerPid(pool, i), getpid());
  for (int i = 0; i < 100; i++) Release(SubmitNumber(pool, own_memory, 1));
  CloseJoinDestroy(pool);
  CHECK_EQ(g_memory, 100);
}

static void TasksOfEveryKind(void) {
  mproc_pool_t* pool = ModulePool(3);
  int64_t numbers[500];
  const void* items[500];
  size_t sizes[500];
  mproc_future_t* map = NULL;
  for (int64_t i = 0; i < 500; i++) {
    numbers[i] = i;
    items[i] = &numbers[i];
    sizes[i] = sizeof numbers[i];
  }
  NEED_OK(mproc_pool_map(pool, fn_square, items, sizes, 500, MPROC_CHUNK_AUTO, 0, TestLong(), &map));
  for (uint64_t i = 0; i < 500; i++) {
    const void* item = NULL;
    size_t size = 0;
    CHECK_OK(mproc_future_item(map, i, &item, &size));
    int64_t square = 0;
    if (CHECK_EQ(size, 8)) memcpy(&square, item, 8);
    CHECK_EQ(square, (int64_t)(i * i));
  }
  Release(map);
  for (size_t size = 1; size < (size_t)40 << 20; size *= 7) {
    char* bytes = malloc(size);
    NEED(bytes != NULL);
    memset(bytes, (int)(size % 251), size);
    mproc_future_t* future = Submit(pool, fn_echo, bytes, size);
    const void* data = NULL;
    size_t got = 0;
    WaitEnd(future);
    CHECK_OK(mproc_future_result(future, &data, &got));
    CHECK(got == size && memcmp(data, bytes, size) == 0);
    Release(future);
    free(bytes);
  }
  mproc_block_t* block = NULL;
  mproc_future_t* future = NULL;
  unsigned char* data = NULL;
  NEED_OK(mproc_block_create(1 << 20, &block));
  NEED_OK(mproc_block_data(block, (void**)&data, NULL));
  NEED_OK(mproc_pool_submit_block(pool, fn_stamp, block, 0, 1 << 20, NULL, NULL, TestLong(), NULL, NULL, NULL,
                                  &future));
  WaitEnd(future);
  CHECK_EQ(Outcome(future), MPROC_OUTCOME_VALUE);
  CHECK_EQ(data[0] + data[(1 << 20) - 1], 2);
  Release(future);
  CHECK_OK(mproc_block_destroy(block));
  TakeEnd(SubmitNumber(pool, fn_fail, 7), MPROC_OUTCOME_ERROR, MPROC_CAUSE_NONE);
  CloseJoinDestroy(pool);
}

static void ErrorsAreTold(void) {
  const char* text = NULL;
  mproc_pool_t* pool = OwnPool(1);
  mproc_future_t* future = SubmitNumber(pool, own_fail, 12);
  WaitEnd(future);
  CHECK_EQ(Outcome(future), MPROC_OUTCOME_ERROR);
  CHECK_EQ(Info(future, MPROC_FUTURE_INFO_ERROR_CODE), 12);
  CHECK_HAS(Message(future), "as asked");
  CHECK_OK(mproc_future_error_trace(future, &text));
  CHECK_HAS(text, "here");
  Release(future);
  CloseJoinDestroy(pool);
}

static void InitializerRunsOnEachThread(void) {
  OpenBoard();
  mproc_pool_options_t* options = OwnOptions(3);
  NEED_OK(mproc_pool_options_set_initializer(options, own_setup, NULL, 0));
  mproc_pool_t* pool = ReadyWith(options);
  CHECK_EQ(atomic_load(&g_board->initialized), 3);
  CHECK_EQ(TakeNumber(Submit(pool, own_nested, NULL, 0)), 1);
  CloseJoinDestroy(pool);
  options = OwnOptions(2);
  NEED_OK(mproc_pool_options_set_initializer(options, own_setup, "fail", 4));
  pool = CreateWith(options);
  CHECK_STATUS(mproc_pool_wait_ready(pool, TestLong()), MPROC_ERROR_BROKEN);
  CHECK_HAS(mproc_last_error_message(), "no licence found");
  CHECK_OK(mproc_pool_destroy(pool));
}

static void WhatCannotBeIsRefused(void) {
  mproc_pool_t* pool = NULL;
  const char* command[] = {"true"};
  mproc_pool_options_t* options = OwnOptions(1);
  NEED_OK(mproc_pool_options_set_environment(options, "MPROC_TEST_VALUE", "x"));
  CHECK_STATUS(mproc_pool_create(options, &pool), MPROC_ERROR_UNSUPPORTED);
  CHECK_OK(mproc_pool_options_destroy(options));
  options = OwnOptions(1);
  NEED_OK(mproc_pool_options_set_directory(options, "/"));
  CHECK_STATUS(mproc_pool_create(options, &pool), MPROC_ERROR_UNSUPPORTED);
  CHECK_HAS(mproc_last_error_message(), "start method threads");
  CHECK_OK(mproc_pool_options_destroy(options));
  options = OwnOptions(1);
  NEED_OK(mproc_pool_options_set_command(options, command, 1));
  CHECK_STATUS(mproc_pool_create(options, &pool), MPROC_ERROR_UNSUPPORTED);
  CHECK_OK(mproc_pool_options_destroy(options));
  options = Options(1);
  NEED_OK(mproc_pool_options_set_start_method(options, MPROC_START_THREADS));
  NEED_OK(mproc_pool_options_set_module(options, TEST_MODULE_REFUSING));
  pool = CreateWith(options);
  CHECK_STATUS(mproc_pool_wait_ready(pool, TestLong()), MPROC_ERROR_BAD_MODULE);
  CHECK_OK(mproc_pool_destroy(pool));
}

// ---- tasks that should stop

static mproc_future_t* SubmitLimited(mproc_pool_t* pool, uint32_t function, int64_t limit, int64_t grace) {
  mproc_task_options_t* how = NULL;
  mproc_future_t* future = NULL;
  NEED_OK(mproc_task_options_create(&how));
  NEED_OK(mproc_task_options_set_time_limit(how, limit));
  NEED_OK(mproc_task_options_set_grace(how, grace));
  NEED_OK(mproc_pool_submit_with(pool, function, NULL, 0, how, &future));
  NEED_OK(mproc_task_options_destroy(how));
  return future;
}

static void TimeLimits(void) {
  mproc_pool_t* pool = OwnPool(2);
  TakeNumber(SubmitLimited(pool, own_ask, 20 * MPROC_MILLISECOND, TestLong()));  // stops when it is told
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_STARTS), 2);
  mproc_future_t* future = SubmitLimited(pool, own_inside, 20 * MPROC_MILLISECOND, 0);
  WaitEnd(future);
  CHECK_EQ(Outcome(future), MPROC_OUTCOME_TIMED_OUT);
  CHECK_EQ(Info(future, MPROC_FUTURE_INFO_CAUSE), MPROC_CAUSE_TIME_LIMIT);
  CHECK_HAS(Message(future), "its thread goes on");
  Release(future);
  CHECK_EQ(atomic_load(&g_stuck), 1);
  // Another thread has taken the place of the one that still runs.
  CHECK_OK(mproc_pool_wait_ready(pool, TestLong()));
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_STARTS), 3);
  for (int i = 0; i < 20; i++) CHECK(TakeNumber(SubmitNumber(pool, own_memory, 1)) > 0);
  atomic_store(&g_release, 1);
  CHECK_SOON(atomic_load(&g_stuck) == 0);
  for (int i = 0; i < 20; i++) CHECK(TakeNumber(SubmitNumber(pool, own_memory, 1)) > 0);
  CloseJoinDestroy(pool);
}

static void CancelOfWhatRuns(void) {
  mproc_pool_t* pool = OwnPool(2);
  mproc_future_t* futures[2] = {Submit(pool, own_ask, NULL, 0), Submit(pool, own_inside, NULL, 0)};
  CHECK_SOON(atomic_load(&g_stuck) == 2);
  CHECK_OK(mproc_future_cancel_running(futures[0], TestLong()));
  WaitEnd(futures[0]);
  Release(futures[0]);
  CHECK_OK(mproc_future_cancel_running(futures[1], 0));
  TakeEnd(futures[1], MPROC_OUTCOME_CANCELLED, MPROC_CAUSE_CALL);
  CHECK(TakeNumber(SubmitNumber(pool, own_memory, 1)) > 0);
  atomic_store(&g_release, 1);
  CloseJoinDestroy(pool);
}

static void TheEndDoesNotWaitForStuckOnes(void) {
  for (int way = 0; way < 3; way++) {
    atomic_store(&g_release, 0);
    mproc_pool_t* pool = OwnPool(2);
    mproc_future_t* futures[6];
    for (int i = 0; i < 6; i++) futures[i] = Submit(pool, own_inside, NULL, 0);
    CHECK_SOON(atomic_load(&g_stuck) == 2);
    int64_t begin = TestNow();
    CHECK_OK(mproc_pool_close(pool));
    CHECK_STATUS(mproc_pool_join(pool, MPROC_MILLISECOND), MPROC_ERROR_TIMED_OUT);
    if (way == 0) {
      CHECK_OK(mproc_pool_terminate(pool));
      CHECK_OK(mproc_pool_join(pool, TestLong()));
    }
    if (way == 1) CHECK_OK(mproc_runtime_finish(TestLong()));
    CHECK_OK(mproc_pool_destroy(pool));
    CHECK(TestNow() - begin < 3 * MPROC_SECOND * TestSlowness());
    for (int i = 0; i < 6; i++) {
      TakeEnd(futures[i], MPROC_OUTCOME_CANCELLED, way == 0 ? MPROC_CAUSE_TERMINATE : MPROC_CAUSE_DESTROY);
    }
    CHECK_EQ(atomic_load(&g_stuck), 2);
    if (way == 2) CHECK_OK(mproc_runtime_finish(TestLong()));
    atomic_store(&g_release, 1);
    CHECK_SOON(atomic_load(&g_stuck) == 0);
  }
}

static void EndsWithAThread(void) {
  mproc_pool_t* pool = OwnPool(2);
  for (int i = 0; i < 10; i++) {
    TakeEnd(Submit(pool, own_leave, NULL, 0), MPROC_OUTCOME_WORKER_LOST, MPROC_CAUSE_EXIT);
    CHECK(TakeNumber(SubmitNumber(pool, own_memory, 1)) > 0);
  }
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_DEATHS), 10);
  CloseJoinDestroy(pool);
}

// ---- the host

static void ForkedChildHasNothing(void) {
  if (TestUnderValgrind()) TestSkip("what hangs on stacks that a fork has not got is lost for valgrind");
  TestDescriptors before = TestOpenDescriptors();
  mproc_pool_t* pool = OwnPool(3);
  for (int i = 0; i < 30; i++) CHECK(TakeNumber(SubmitNumber(pool, own_memory, 1)) > 0);
  fflush(NULL);
  pid_t child = fork();
  if (child == 0) {
    mproc_future_t* future = NULL;
    bool good = TestNewDescriptors(&before, true) <= 2;  // libuv's own
    good &= mproc_pool_submit(pool, own_memory, NULL, 0, 0, &future) == MPROC_ERROR_FORKED;
    mproc_pool_t* own = OwnPool(2);
    good &= TakeNumber(SubmitNumber(own, own_memory, 0)) == g_memory;
    CloseJoinDestroy(own);
    good &= mproc_runtime_finish(TestLong()) == MPROC_OK;
    _exit(good && !atomic_load(&g_test_failures) ? 0 : 1);
  }
  int status = -1;
  CHECK_EQ(waitpid(child, &status, 0), child);
  CHECK_EQ(status, 0);
  CloseJoinDestroy(pool);
}

static void StuckThreadsDoNotHoldUpExit(void) {
  int status = -1;
  int64_t begin = TestNow();
  fflush(NULL);
  pid_t child = fork();
  if (child == 0) {
    TestForgetLeaks();
    mproc_pool_t* pool = OwnPool(2);
    for (int i = 0; i < 6; i++) Submit(pool, own_inside, NULL, 0);
    while (atomic_load(&g_stuck) < 2) TestRest(MPROC_MILLISECOND);
    exit(5);
  }
  CHECK_EQ(waitpid(child, &status, 0), child);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 5);
  CHECK(TestNow() - begin < 3 * MPROC_SECOND * TestSlowness());
}

static void* SubmitMany(void* pool) {
  mproc_future_t* futures[300];
  for (int i = 0; i < 300; i++) futures[i] = SubmitNumber(pool, own_memory, 1);
  for (int i = 0; i < 300; i++) TakeNumber(futures[i]);
  return NULL;
}
static void ManyThreadsOnBothSides(void) {
  pthread_t threads[4];
  g_memory = 0;
  mproc_pool_t* pool = OwnPool(8);
  for (int i = 0; i < 4; i++) NEED(pthread_create(&threads[i], NULL, SubmitMany, pool) == 0);
  for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
  CHECK_EQ(g_memory, 1200);
  CloseJoinDestroy(pool);
}

int main(int argc, char** argv) {
  static const TestCase cases[] = {
      {"workers are threads", WorkersAreThreads, 0},
      {"tasks of every kind", TasksOfEveryKind, 0},
      {"errors are told", ErrorsAreTold, 0},
      {"initializer runs on each thread", InitializerRunsOnEachThread, 0},
      {"what cannot be is refused", WhatCannotBeIsRefused, 0},
      {"time limits", TimeLimits, 0},
      {"cancel of what runs", CancelOfWhatRuns, 0},
      {"the end does not wait for stuck ones", TheEndDoesNotWaitForStuckOnes, 0},
      {"ends with a thread", EndsWithAThread, 0},
      {"forked child has nothing", ForkedChildHasNothing, 0},
      {"stuck threads do not hold up exit", StuckThreadsDoNotHoldUpExit, 0},
      {"many threads on both sides", ManyThreadsOnBothSides, 0},
  };
  return TEST_MAIN(argc, argv, cases);
}
