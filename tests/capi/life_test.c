// SPDX-License-Identifier: MIT
// The life of workers: when they are over, who follows them, and how many there are.
#include "host.h"

static mproc_pool_t* PoolOfTasks(int32_t workers, int64_t tasks) {
  mproc_pool_options_t* options = Options(workers);
  NEED_OK(mproc_pool_options_set_worker_tasks(options, tasks));
  return ReadyWith(options);
}

// ---- after a number of tasks

static void NoTaskIsLostOrRunTwice(void) {
  enum { kTasks = 2000, kEach = 7 };
  static mproc_future_t* futures[kTasks];
  static int ran[kTasks + 1];  // by worker number
  mproc_pool_t* pool = PoolOfTasks(2, kEach);
  memset(ran, 0, sizeof ran);
  for (int i = 0; i < kTasks; i++) futures[i] = SubmitWork(pool, fn_mark, 0, i);
  for (int i = 0; i < kTasks; i++) {
    WaitEnd(futures[i]);
    CHECK_EQ(Outcome(futures[i]), MPROC_OUTCOME_VALUE);
    CHECK_EQ(Begun(i), 1);
    int64_t number = Info(futures[i], MPROC_FUTURE_INFO_WORKER_NUMBER);
    NEED(number >= 1 && number <= kTasks);
    ran[number]++;
    Release(futures[i]);
  }
  for (int number = 1; number <= kTasks; number++) CHECK(ran[number] <= kEach);
  CHECK(Statistic(pool, MPROC_POOL_STATISTIC_RECYCLED) >= kTasks / kEach - 2);
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_DEATHS), 0);
  CloseJoinDestroy(pool);
}

static void WorkersFollowAfterClose(void) {
  mproc_pool_t* pool = PoolOfTasks(3, 1);
  mproc_future_t* futures[6];
  // Gates: with tasks that end before the close, workers follow that find nothing to do.
  for (int i = 0; i < 6; i++) futures[i] = SubmitWork(pool, fn_gate, 0, i);
  CHECK_OK(mproc_pool_close(pool));
  for (int i = 0; i < 6; i++) OpenGate(i);
  CHECK_OK(mproc_pool_join(pool, TestLong()));
  for (int i = 0; i < 6; i++) CHECK_EQ(TakeReport(futures[i]).value, i);
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_STARTS), 6);
  CHECK_OK(mproc_pool_destroy(pool));
}

static void TheSuccessorStandsReady(void) {
  mproc_pool_t* pool = PoolOfTasks(1, 1);
  mproc_future_t* first = SubmitWork(pool, fn_gate, 0, 0);
  mproc_future_t* second = SubmitWork(pool, fn_gate, 0, 1);
  NEED_SOON(Begun(0) == 1);
  NEED_SOON(Statistic(pool, MPROC_POOL_STATISTIC_WORKERS) == 2);
  CHECK_EQ(Begun(1), 0);  // one at a time, though two workers are there
  OpenGate(0);
  NEED_SOON(Begun(1) == 1);
  OpenGate(1);
  CHECK(TakeReport(first).pid != TakeReport(second).pid);
  CloseJoinDestroy(pool);
}

static void CancelledTasksDoNotCount(void) {
  mproc_pool_t* pool = PoolOfTasks(1, 2);
  mproc_future_t* first = SubmitWork(pool, fn_gate, 0, 0);
  mproc_future_t* second = SubmitWork(pool, fn_gate, 0, 1);
  NEED_SOON(Begun(0) == 1);
  CHECK_OK(mproc_future_cancel(second));
  TakeEnd(second, MPROC_OUTCOME_CANCELLED, MPROC_CAUSE_CALL);
  OpenAllGates();
  int64_t pid = TakeReport(first).pid;
  CHECK_EQ(TakeNumber(Submit(pool, fn_pid, NULL, 0)), pid);
  CHECK(TakeNumber(Submit(pool, fn_pid, NULL, 0)) != pid);
  CloseJoinDestroy(pool);
}

// ---- above a size

static mproc_pool_t* PoolOfMemory(int32_t workers, int64_t bytes) {
  mproc_pool_options_t* options = Options(workers);
  NEED_OK(mproc_pool_options_set_worker_memory(options, bytes));
  return ReadyWith(options);
}

static void LargeOnesAreReplaced(void) {
  if (TestSanitized()) TestSkip("workers are large from the beginning");
  mproc_pool_t* pool = PoolOfMemory(1, 100 << 20);
  mproc_future_t* futures[8];
  int64_t pids[8];
  OpenAllGates();
  for (int i = 0; i < 8; i++) futures[i] = SubmitWork(pool, fn_grow, 60, i);
  for (int i = 0; i < 8; i++) {
    pids[i] = TakeReport(futures[i]).pid;
    CHECK_EQ(Begun(i), 1);
  }
  CHECK_EQ(Distinct(pids, 8), 4);  // two times 60 MiB is too much
  CHECK_SOON(Statistic(pool, MPROC_POOL_STATISTIC_RECYCLED) == 4);
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_LOST), 0);
  CloseJoinDestroy(pool);
}

static void ALongTaskThatGrowsIsFollowed(void) {
  if (TestSanitized()) TestSkip("workers are large from the beginning");
  mproc_pool_t* pool = PoolOfMemory(1, 50 << 20);
  mproc_future_t* first = SubmitWork(pool, fn_grow, 80, 0);
  mproc_future_t* second = SubmitWork(pool, fn_grow, 1, 1);
  NEED_SOON(Statistic(pool, MPROC_POOL_STATISTIC_WORKERS) == 2);  // while it runs
  CHECK_EQ(Begun(1), 0);
  OpenAllGates();
  CHECK(TakeReport(first).pid != TakeReport(second).pid);
  CloseJoinDestroy(pool);
}

// ---- too old, idle for too long

static void OldOnesAreReplaced(void) {
  mproc_pool_options_t* options = Options(2);
  NEED_OK(mproc_pool_options_set_worker_age(options, 300 * MPROC_MILLISECOND * TestSlowness()));
  mproc_pool_t* pool = ReadyWith(options);
  mproc_future_t* future = SubmitWork(pool, fn_gate, 0, 0);
  NEED_SOON(Begun(0) == 1);
  CHECK_SOON(Statistic(pool, MPROC_POOL_STATISTIC_RECYCLED) >= 4);  // of both places, again and again
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_DEATHS), 0);
  OpenGate(0);
  TakeReport(future);  // the one that ran was not disturbed
  CloseJoinDestroy(pool);
}

static mproc_pool_t* IdlePool(int32_t workers, int32_t least) {
  mproc_pool_options_t* options = Options(workers);
  NEED_OK(mproc_pool_options_set_worker_idle(options, 20 * MPROC_MILLISECOND));
  NEED_OK(mproc_pool_options_set_least_workers(options, least));
  return ReadyWith(options);
}
static bool WorkersAre(mproc_pool_t* pool, uint64_t wanted) {
  return Statistic(pool, MPROC_POOL_STATISTIC_WORKERS) == wanted;
}

static void IdleOnesEndAndComeBack(void) {
  mproc_pool_t* pool = IdlePool(3, 1);
  NEED_SOON(WorkersAre(pool, 1));
  CHECK_OK(mproc_pool_wait_ready(pool, 0));  // all that are wanted now
  mproc_future_t* futures[5];
  for (int i = 0; i < 5; i++) futures[i] = SubmitWork(pool, fn_gate, 0, i);
  NEED_SOON(CountBegun(0, 5) == 3);
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_SIZE), 3);
  OpenAllGates();
  for (int i = 0; i < 5; i++) TakeReport(futures[i]);
  CHECK_SOON(WorkersAre(pool, 1));
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_RECYCLED), 0);
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_DEATHS), 0);
  CloseJoinDestroy(pool);
}

static void NoneNeedsToStay(void) {
  mproc_pool_t* pool = IdlePool(2, 0);
  for (int i = 0; i < 5; i++) {
    NEED_SOON(WorkersAre(pool, 0));
    CHECK_EQ(TakeReport(SubmitWork(pool, fn_sleep, 0, i)).value, i);
  }
  NEED_SOON(WorkersAre(pool, 0));
  CHECK_OK(mproc_pool_close(pool));
  CHECK_OK(mproc_pool_join(pool, TestLong()));
  CHECK_OK(mproc_pool_destroy(pool));
}

// ---- a call for every worker

static mproc_future_t* Broadcast(mproc_pool_t* pool, uint32_t function, const void* data, size_t size) {
  mproc_future_t* future = NULL;
  NEED_OK(mproc_pool_broadcast(pool, function, data, size, &future));
  return future;
}
static size_t Items(mproc_future_t* future) {
  size_t count = SIZE_MAX;
  CHECK_OK(mproc_future_item_count(future, &count));
  return count;
}
static int64_t ItemNumber(mproc_future_t* future, size_t index) {
  const void* data = NULL;
  size_t size = 0;
  int64_t number = -1;
  if (CHECK_OK(mproc_future_item(future, index, &data, &size)) && CHECK_EQ(size, sizeof number)) {
    memcpy(&number, data, size);
  }
  return number;
}

static void EveryWorkerIsCalledOnce(void) {
  mproc_pool_t* pool = ReadyPool(5);
  for (int round = 0; round < 20; round++) {
    mproc_future_t* future = Broadcast(pool, fn_pid, NULL, 0);
    WaitEnd(future);
    CHECK_EQ(Outcome(future), MPROC_OUTCOME_VALUE);
    CHECK_EQ(Items(future), 5);
    for (int32_t i = 0; i < 5; i++) {  // places are in the order of numbers here
      CHECK_EQ(ItemNumber(future, (size_t)i), WorkerPid(pool, i));
    }
    Release(future);
  }
  CloseJoinDestroy(pool);
}

static void LargeBroadcasts(void) {
  enum { kSize = 3 << 20 };
  unsigned char* bytes = malloc(kSize);
  for (size_t i = 0; i < kSize; i++) bytes[i] = PatternAt(i);
  Sum wanted = SumOf(bytes, kSize);
  mproc_pool_t* pool = ReadyPool(3);
  mproc_future_t* future = Broadcast(pool, fn_checksum, bytes, kSize);
  memset(bytes, 0, kSize);  // they were copied
  free(bytes);
  WaitEnd(future);
  for (size_t i = 0; i < 3; i++) {
    const void* data = NULL;
    size_t size = 0;
    NEED_OK(mproc_future_item(future, i, &data, &size));
    CHECK(size == sizeof wanted && memcmp(data, &wanted, sizeof wanted) == 0);
  }
  Release(future);
  CloseJoinDestroy(pool);
}

static void BeforeTheFirstTask(void) {
  mproc_pool_t* pool = CreateWith(Options(3));  // none is ready
  mproc_future_t* future = Broadcast(pool, fn_keep, "told", 4);
  mproc_future_t* kept[9];
  for (int i = 0; i < 9; i++) kept[i] = Submit(pool, fn_kept, NULL, 0);
  for (int i = 0; i < 9; i++) {
    char text[4];
    WaitEnd(kept[i]);
    ReadValue(kept[i], text, 4);
    CHECK(memcmp(text, "told", 4) == 0);
    Release(kept[i]);
  }
  WaitEnd(future);
  CHECK_EQ(Items(future), 3);
  CHECK_EQ(Outcome(future), MPROC_OUTCOME_VALUE);
  Release(future);
  CloseJoinDestroy(pool);
}

static void BroadcastsDoNotCountAsTasks(void) {
  mproc_pool_t* pool = PoolOfTasks(1, 1);
  int64_t pid = WorkerPid(pool, 0);
  for (int i = 0; i < 300; i++) Release(Broadcast(pool, fn_noop, NULL, 0));
  CHECK_EQ(TakeNumber(Submit(pool, fn_pid, NULL, 0)), pid);
  CHECK(TakeNumber(Submit(pool, fn_pid, NULL, 0)) != pid);
  CloseJoinDestroy(pool);
}

static void BusyWorkersAreCalledAfterTheirTask(void) {
  mproc_pool_t* pool = ReadyPool(2);
  mproc_future_t* busy = SubmitWork(pool, fn_gate, 0, 0);
  NEED_SOON(Begun(0) == 1);
  mproc_future_t* cancelled = Broadcast(pool, fn_pid, NULL, 0);
  mproc_future_t* future = Broadcast(pool, fn_pid, NULL, 0);
  CHECK_OK(mproc_future_cancel(cancelled));
  WaitEnd(cancelled);
  CHECK_EQ(Outcome(cancelled), MPROC_OUTCOME_CANCELLED);
  CHECK_STATUS(mproc_future_wait(future, 250 * MPROC_MILLISECOND), MPROC_ERROR_TIMED_OUT);  // two looks at it
  OpenGate(0);
  WaitEnd(future);
  CHECK_EQ(Items(future), 2);
  CHECK(ItemNumber(future, 0) != ItemNumber(future, 1));
  Release(cancelled);
  Release(future);
  TakeReport(busy);
  CloseJoinDestroy(pool);
}

static void TheDeadDoNotAnswer(void) {
  mproc_pool_t* pool = ReadyPool(2);
  mproc_future_t* busy = SubmitWork(pool, fn_gate, 0, 0);
  NEED_SOON(Begun(0) == 1);
  pid_t pid = g_board->pid[0];
  bool first = WorkerPid(pool, 0) == pid;
  mproc_future_t* future = Broadcast(pool, fn_pid, NULL, 0);
  TestKill(pid, SIGKILL);
  WaitEnd(future);
  CHECK_EQ(Outcome(future), MPROC_OUTCOME_WORKER_LOST);
  CHECK_EQ(Items(future), 2);
  CHECK_EQ(ItemNumber(future, first ? 1 : 0), WorkerPid(pool, first ? 1 : 0));
  const char* text = NULL;
  CHECK_OK(mproc_future_item_error_message(future, first ? 0 : 1, &text));
  CHECK_HAS(text, "ended before");
  Release(future);
  TakeEnd(busy, MPROC_OUTCOME_WORKER_LOST, MPROC_CAUSE_SIGNAL);
  CloseJoinDestroy(pool);
}

static void BroadcastsAtTheEnd(void) {
  mproc_pool_options_t* options = Options(2);
  NEED_OK(mproc_pool_options_set_initializer(options, fn_keep, "fail", 4));
  mproc_pool_t* pool = CreateWith(options);
  mproc_future_t* future = Broadcast(pool, fn_noop, NULL, 0);
  WaitEnd(future);  // workers that never come, or have gone already
  CHECK(Outcome(future) == MPROC_OUTCOME_WORKER_LOST || Outcome(future) == MPROC_OUTCOME_NOT_RUN ||
        Items(future) == 0);
  Release(future);
  CHECK_OK(mproc_pool_destroy(pool));

  pool = ReadyPool(2);
  mproc_future_t* none = NULL;
  CHECK_STATUS(mproc_pool_broadcast(pool, fn_noop, NULL, 1, &none), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_pool_broadcast(pool, fn_noop, NULL, 0, NULL), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_pool_broadcast(pool, 123456, NULL, 0, &none), MPROC_ERROR_UNKNOWN_FUNCTION);
  mproc_future_t* busy = SubmitWork(pool, fn_gate, 0, 0);
  NEED_SOON(Begun(0) == 1);
  mproc_future_t* last = Broadcast(pool, fn_noop, NULL, 0);
  CHECK_OK(mproc_pool_close(pool));
  CHECK_STATUS(mproc_pool_broadcast(pool, fn_noop, NULL, 0, &none), MPROC_ERROR_NOT_RUNNING);
  CHECK_OK(mproc_pool_terminate(pool));
  CHECK_OK(mproc_pool_join(pool, TestLong()));
  CHECK_EQ(Outcome(last), MPROC_OUTCOME_CANCELLED);
  Release(last);
  Release(busy);
  CHECK_OK(mproc_pool_destroy(pool));
}

static void NobodyIsThere(void) {
  mproc_pool_t* pool = IdlePool(2, 0);
  NEED_SOON(WorkersAre(pool, 0));
  mproc_future_t* future = Broadcast(pool, fn_noop, NULL, 0);
  CHECK_OK(mproc_future_ready(future));
  CHECK_EQ(Items(future), 0);
  Release(future);
  CloseJoinDestroy(pool);
}

// Workers come and go under a rain of broadcasts: each ends, with as many items as there were workers.
static void BroadcastsWhileWorkersComeAndGo(void) {
  enum { kRounds = 300 };
  static mproc_future_t* tasks[kRounds];
  mproc_pool_options_t* options = Options(3);
  NEED_OK(mproc_pool_options_set_worker_tasks(options, 5));
  NEED_OK(mproc_pool_options_set_worker_age(options, 30 * MPROC_MILLISECOND));
  mproc_pool_t* pool = CreateWith(options);
  for (int i = 0; i < kRounds; i++) {
    tasks[i] = SubmitWork(pool, fn_mark, 0, i);
    mproc_future_t* future = Broadcast(pool, fn_pid, NULL, 0);
    if (i % 10 == 0) CHECK_OK(mproc_pool_resize(pool, 1 + i % 4));
    if (i % 25 == 0) {
      pid_t pid = WorkerPid(pool, 0);
      if (pid > 0) TestKill(pid, SIGKILL);
    }
    if (i % 3 == 0) {
      WaitEnd(future);
      CHECK(Items(future) <= 10);
    }
    Release(future);
  }
  for (int i = 0; i < kRounds; i++) {
    WaitEnd(tasks[i]);
    CHECK(Outcome(tasks[i]) == MPROC_OUTCOME_VALUE || Outcome(tasks[i]) == MPROC_OUTCOME_WORKER_LOST);
    CHECK(Begun(i) <= 1);
    Release(tasks[i]);
  }
  CloseJoinDestroy(pool);
}

// ---- what a worker keeps, and its last call

static mproc_pool_options_t* StateOptions(int32_t workers, int64_t first) {
  mproc_pool_options_t* options = Options(workers);
  NEED_OK(mproc_pool_options_set_initializer(options, fn_remember, &first, sizeof first));
  return options;
}
static void SetFinalizer(mproc_pool_options_t* options, int64_t ms, int64_t cell) {
  Work work = {ms, cell};
  NEED_OK(mproc_pool_options_set_finalizer(options, fn_settle, &work, sizeof work));
  NEED_OK(mproc_pool_options_set_terminate_grace(options, TestLong()));
}

static void AWorkerKeepsItsState(void) {
  mproc_pool_t* pool = ReadyWith(StateOptions(1, 1000));
  for (int64_t i = 1; i <= 3; i++) CHECK_EQ(TakeNumber(SubmitNumber(pool, fn_add_up, 1)), 1000 + i);
  TestKill(WorkerPid(pool, 0), SIGKILL);
  CHECK_SOON(Statistic(pool, MPROC_POOL_STATISTIC_DEATHS) == 1);
  CHECK_EQ(TakeNumber(SubmitNumber(pool, fn_add_up, 1)), 1001);
  CloseJoinDestroy(pool);
  pool = ReadyPool(1);
  CHECK_EQ(TakeNumber(SubmitNumber(pool, fn_add_up, 1)), -1);
  CloseJoinDestroy(pool);
}

static void TheLastCallOfEachWorker(void) {
  mproc_pool_options_t* options = StateOptions(3, 10);
  SetFinalizer(options, 0, 0);
  mproc_pool_t* pool = ReadyWith(options);
  for (int i = 0; i < 20; i++) TakeNumber(SubmitNumber(pool, fn_add_up, 1));
  CHECK_EQ(Begun(0), 0);
  CHECK_OK(mproc_pool_close(pool));
  CHECK_OK(mproc_pool_join(pool, TestLong()));
  CHECK_EQ(Begun(0), 3);
  CHECK_EQ(Ended(0), 3 * 10 + 20);  // what the tasks left behind
  CHECK_OK(mproc_pool_destroy(pool));
}

static void TheLastCallComesWithEveryPoliteEnd(void) {
  mproc_pool_options_t* options = StateOptions(2, 1);
  SetFinalizer(options, 0, 0);
  NEED_OK(mproc_pool_options_set_worker_tasks(options, 1));
  mproc_pool_t* pool = ReadyWith(options);
  for (int i = 0; i < 5; i++) TakeNumber(SubmitNumber(pool, fn_add_up, 0));
  CHECK_SOON(Begun(0) == 5);
  CHECK_OK(mproc_pool_wait_ready(pool, TestLong()));  // who is only starting is killed
  CHECK_OK(mproc_pool_resize(pool, 1));
  CHECK_SOON(Begun(0) >= 6);
  uint32_t before = Begun(0);
  mproc_future_t* lost = SubmitNumber(pool, fn_raise, SIGKILL);
  TakeEnd(lost, MPROC_OUTCOME_WORKER_LOST, MPROC_CAUSE_SIGNAL);
  NEED_OK(mproc_pool_wait_ready(pool, TestLong()));
  CHECK_EQ(Begun(0), before);  // not with this one
  CHECK_OK(mproc_pool_terminate(pool));
  CHECK_OK(mproc_pool_join(pool, TestLong()));
  CHECK_OK(mproc_pool_destroy(pool));
  CHECK(Begun(0) > before);
  CHECK_EQ(Begun(0), Ended(0));
}

static void TheLastCallHasALimit(void) {
  mproc_pool_options_t* options = Options(1);
  SetFinalizer(options, TestLong() / MPROC_MILLISECOND, 0);
  NEED_OK(mproc_pool_options_set_terminate_grace(options, 50 * MPROC_MILLISECOND));
  NEED_OK(mproc_pool_options_set_worker_tasks(options, 1));
  mproc_pool_t* pool = ReadyWith(options);
  for (int i = 0; i < 8; i++) TakeReport(SubmitWork(pool, fn_sleep, 0, i));  // new ones all the time
  int64_t begin = TestNow();
  CHECK_OK(mproc_pool_close(pool));
  CHECK_OK(mproc_pool_join(pool, TestLong()));
  CHECK(TestNow() - begin >= 40 * MPROC_MILLISECOND);
  CHECK_EQ(Begun(0), 0);
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_DEATHS), 0);
  CHECK_OK(mproc_pool_destroy(pool));
}

static void AStoppedWorkerDoesNotHoldUpTheEnd(void) {
  mproc_pool_options_t* options = Options(1);
  SetFinalizer(options, 0, 0);
  NEED_OK(mproc_pool_options_set_terminate_grace(options, 50 * MPROC_MILLISECOND));
  mproc_pool_t* pool = ReadyWith(options);
  TestKill(WorkerPid(pool, 0), SIGSTOP);
  CHECK_OK(mproc_pool_close(pool));
  CHECK_OK(mproc_pool_join(pool, TestLong()));
  CHECK_OK(mproc_pool_destroy(pool));
}

// ---- limits of the process

static Terms TermsOf(mproc_pool_t* pool) {
  Terms terms;
  mproc_future_t* future = Submit(pool, fn_terms, NULL, 0);
  WaitEnd(future);
  ReadValue(future, &terms, sizeof terms);
  Release(future);
  return terms;
}

static void WorkersTakeTheirLimitsOn(void) {
  if (TestUnderValgrind() && TestStart() == MPROC_START_FORK) TestSkip("valgrind keeps the limits to itself");
  mproc_pool_t* pool = ReadyPool(1);
  Terms before = TermsOf(pool);
  CloseJoinDestroy(pool);
  mproc_pool_options_t* options = Options(1);
  int32_t cpu = (int32_t)before.first_cpu, nice = (int32_t)before.nice + 3;
  bool any_memory = !TestSanitized() && TestStart() != MPROC_START_FORK;  // the host has reserved much
  if (any_memory) NEED_OK(mproc_pool_options_set_worker_limit(options, MPROC_LIMIT_MEMORY, INT64_C(3) << 30));
  NEED_OK(mproc_pool_options_set_worker_limit(options, MPROC_LIMIT_FILES, 60));
  NEED_OK(mproc_pool_options_set_worker_nice(options, nice));
  NEED_OK(mproc_pool_options_set_worker_cpus(options, &cpu, 1, MPROC_CPUS_SHARED));
  pool = ReadyWith(options);
  Terms terms = TermsOf(pool);
  if (any_memory) CHECK_EQ(terms.memory, INT64_C(3) << 30);
  CHECK_EQ(terms.files, 60);
  CHECK_EQ(terms.nice, nice);
  CHECK_EQ(terms.cpus, 1);
  CHECK_EQ(terms.first_cpu, cpu);
  CloseJoinDestroy(pool);
}

// Every item of a broadcast tells another CPU.
static bool CpusDiffer(mproc_pool_t* pool, size_t workers) {
  uint64_t seen = 0;
  mproc_future_t* future = Broadcast(pool, fn_terms, NULL, 0);
  WaitEnd(future);
  bool differ = Items(future) == workers && Outcome(future) == MPROC_OUTCOME_VALUE;
  for (size_t i = 0; differ && i < workers; i++) {
    const void* data = NULL;
    size_t size = 0;
    Terms terms;
    NEED_OK(mproc_future_item(future, i, &data, &size));
    memcpy(&terms, data, sizeof terms);
    differ = terms.cpus == 1 && !(seen >> terms.first_cpu % 64 & 1);
    seen |= UINT64_C(1) << terms.first_cpu % 64;
  }
  Release(future);
  return differ;
}

static void ACpuForEach(void) {
  mproc_pool_t* pool = ReadyPool(1);
  int64_t cpus = TermsOf(pool).cpus;
  CloseJoinDestroy(pool);
  if (cpus < 2) TestSkip("there is one CPU only");
  mproc_pool_options_t* options = Options(2);
  NEED_OK(mproc_pool_options_set_worker_cpus(options, NULL, 0, MPROC_CPUS_ONE_EACH));
  pool = ReadyWith(options);
  CHECK(CpusDiffer(pool, 2));
  for (int32_t place = 0; place < 2; place++) {
    TestKill(WorkerPid(pool, place), SIGKILL);
    NEED_SOON(Statistic(pool, MPROC_POOL_STATISTIC_DEATHS) == (uint64_t)place + 1);
    NEED_OK(mproc_pool_wait_ready(pool, TestLong()));
    CHECK(CpusDiffer(pool, 2));
  }
  CloseJoinDestroy(pool);
}

static void RefusedLimitsBreakThePool(void) {
  const int32_t none = 1023;
  for (int i = 0; i < 2; i++) {
    mproc_pool_options_t* options = Options(1);
    if (i == 0) {
      NEED_OK(mproc_pool_options_set_worker_cpus(options, &none, 1, MPROC_CPUS_SHARED));
    } else {
      NEED_OK(mproc_pool_options_set_worker_limit(options, MPROC_LIMIT_FILES, INT64_MAX));
    }
    mproc_pool_t* pool = CreateWith(options);
    CHECK_STATUS(mproc_pool_wait_ready(pool, TestLong()), MPROC_ERROR_UNSUPPORTED);
    CHECK_HAS(mproc_last_error_message(), i == 0 ? "CPU 1023" : "open files");
    CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_STARTS), 1);  // not tried again and again
    CHECK_OK(mproc_pool_destroy(pool));
  }
}

static void TooMuchCpuTimeCostsTheWorker(void) {
  mproc_pool_options_t* options = Options(1);
  NEED_OK(mproc_pool_options_set_worker_limit(options, MPROC_LIMIT_CPU_TIME, 1));  // up to a second
  mproc_pool_t* pool = ReadyWith(options);
  mproc_future_t* future = Submit(pool, fn_burn, NULL, 0);
  WaitEnd(future);
  CHECK_EQ(Info(future, MPROC_FUTURE_INFO_SIGNAL), SIGXCPU);
  CHECK_HAS(Message(future), "its CPU time is limited to 1 s");
  TakeEnd(future, MPROC_OUTCOME_WORKER_LOST, MPROC_CAUSE_SIGNAL);
  CHECK_EQ(TakeReport(SubmitWork(pool, fn_sleep, 0, 3)).value, 3);
  CloseJoinDestroy(pool);
}

static void TooMuchMemoryIsRefused(void) {
  if (TestSanitized()) TestSkip("address space is not what counts");
  mproc_pool_options_t* options = Options(1);
  NEED_OK(mproc_pool_options_set_worker_limit(options, MPROC_LIMIT_MEMORY, 500 << 20));
  mproc_pool_t* pool = ReadyWith(options);
  pid_t pid = WorkerPid(pool, 0);
  mproc_future_t* future = SubmitWork(pool, fn_grow, 1000, 0);
  WaitEnd(future);
  CHECK_EQ(Outcome(future), MPROC_OUTCOME_ERROR);
  CHECK_HAS(Message(future), "malloc");
  Release(future);
  CHECK_EQ(TakeNumber(Submit(pool, fn_pid, NULL, 0)), pid);
  future = Submit(pool, fn_abort, NULL, 0);
  WaitEnd(future);
  CHECK_HAS(Message(future), "its memory is limited to 524288000 bytes");
  TakeEnd(future, MPROC_OUTCOME_WORKER_LOST, MPROC_CAUSE_SIGNAL);
  CloseJoinDestroy(pool);
}

// ---- a storm of deaths

static void TooManyDeathsBreakThePool(void) {
  mproc_pool_options_t* options = Options(2);
  NEED_OK(mproc_pool_options_set_restart_limit(options, 3, TestLong()));
  mproc_pool_t* pool = ReadyWith(options);
  char text[256] = "";
  for (int i = 0; i < 4; i++) {
    CHECK_STATUS(mproc_pool_error_message(pool, text, sizeof text, NULL), MPROC_ERROR_NO_ERROR);
    TakeEnd(SubmitNumber(pool, fn_exit, 40 + i), MPROC_OUTCOME_WORKER_LOST, MPROC_CAUSE_EXIT);
  }
  CHECK_OK(mproc_pool_error_message(pool, text, sizeof text, NULL));
  CHECK_HAS(text, "4 workers died within");
  CHECK_HAS(text, "exited with code 43");
  mproc_future_t* future = NULL;
  CHECK_STATUS(mproc_pool_submit(pool, fn_noop, NULL, 0, 0, &future), MPROC_ERROR_BROKEN);
  CHECK_STATUS(mproc_pool_resize(pool, 3), MPROC_ERROR_BROKEN);
  CHECK_OK(mproc_pool_destroy(pool));
}

static void DeathsAreForgotten(void) {
  mproc_pool_options_t* options = Options(1);
  NEED_OK(mproc_pool_options_set_restart_limit(options, 1, MPROC_MILLISECOND));
  mproc_pool_t* pool = ReadyWith(options);
  for (int i = 0; i < 4; i++) {
    TakeEnd(SubmitNumber(pool, fn_exit, 1), MPROC_OUTCOME_WORKER_LOST, MPROC_CAUSE_EXIT);
    int64_t end = TestNow() + 2 * MPROC_MILLISECOND;  // of the time that counts
    while (TestNow() < end) {
    }
  }
  CHECK_EQ(TakeReport(SubmitWork(pool, fn_sleep, 0, 3)).value, 3);
  CloseJoinDestroy(pool);
}

// ---- another size

static void MoreWorkers(void) {
  mproc_pool_t* pool = ReadyPool(1);
  mproc_future_t* futures[4];
  for (int i = 0; i < 4; i++) futures[i] = SubmitWork(pool, fn_gate, 0, i);
  NEED_SOON(CountBegun(0, 4) == 1);
  CHECK_OK(mproc_pool_resize(pool, 4));
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_SIZE), 4);
  CHECK_OK(mproc_pool_wait_ready(pool, TestLong()));
  CHECK(WorkersAre(pool, 4));
  NEED_SOON(CountBegun(0, 4) == 4);
  int32_t places = 0;
  CHECK_OK(mproc_pool_worker_count(pool, &places));
  CHECK_EQ(places, 4);
  for (int32_t i = 0; i < 4; i++) {
    CHECK_EQ(WorkerInfo(pool, i, MPROC_WORKER_INFO_STATE), MPROC_WORKER_STATE_BUSY);
  }
  OpenAllGates();
  for (int i = 0; i < 4; i++) TakeReport(futures[i]);
  CloseJoinDestroy(pool);
}

static void FewerWorkers(void) {
  mproc_pool_t* pool = ReadyPool(4);
  mproc_future_t* futures[12];
  for (int i = 0; i < 12; i++) futures[i] = SubmitWork(pool, fn_gate, 0, i);
  NEED_SOON(CountBegun(0, 12) == 4);
  CHECK_OK(mproc_pool_resize(pool, 1));
  CHECK_OK(mproc_pool_wait_ready(pool, TestLong()));
  CHECK(WorkersAre(pool, 4));  // each still runs a task
  int first[4], count = 0;
  for (int i = 0; i < 12 && count < 4; i++) {
    if (Begun(i)) first[count++] = i;
  }
  for (int i = 0; i < 4; i++) OpenGate(first[i]);
  NEED_SOON(WorkersAre(pool, 1));
  NEED_SOON(CountBegun(0, 12) == 5);
  OpenAllGates();
  for (int i = 0; i < 12; i++) {
    TakeReport(futures[i]);
    CHECK_EQ(Begun(i), 1);
  }
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_DEATHS), 0);
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_RECYCLED), 0);
  CloseJoinDestroy(pool);
}

// Who nears its end has a successor that waits for its seat, and may sit there for ever: in a smaller pool
// not more of them than it has seats.
static void FewerWorkersThatNearTheirEnd(void) {
  mproc_pool_t* pool = PoolOfTasks(2, 100);
  mproc_future_t *busy[2], *futures[3];
  for (int i = 0; i < 2; i++) {  // while one is busy the other runs short ones
    busy[i] = SubmitWork(pool, fn_gate, 0, 3 + i);
    NEED_SOON(Begun(3 + i));
    if (i == 1) OpenGate(3);
    if (i == 1) TakeReport(busy[0]);
    for (int k = 0; k < 40 && Statistic(pool, MPROC_POOL_STATISTIC_STARTS) == (uint64_t)i + 2; k++) {
      TakeEnd(Submit(pool, fn_noop, NULL, 0), MPROC_OUTCOME_VALUE, MPROC_CAUSE_NONE);
    }
  }
  OpenGate(4);
  TakeReport(busy[1]);
  NEED_SOON(WorkersAre(pool, 4));
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_RECYCLED), 0);
  CHECK_OK(mproc_pool_resize(pool, 1));
  NEED_SOON(WorkersAre(pool, 2));
  for (int i = 0; i < 3; i++) futures[i] = SubmitWork(pool, fn_gate, 0, i);
  for (int i = 0; i < 3; i++) {
    NEED_SOON(CountBegun(0, 3) == i + 1);
    for (int k = 0; k < 3; k++) {
      if (Begun(k)) OpenGate(k);
    }
    TakeReport(futures[i]);
  }
  CloseJoinDestroy(pool);
}

static void NewSizesAllTheTime(void) {
  enum { kTasks = 3000 };
  static mproc_future_t* futures[kTasks];
  mproc_pool_t* pool = PoolOfTasks(2, 50);
  for (int i = 0; i < kTasks; i++) {
    futures[i] = SubmitWork(pool, fn_mark, 0, i);
    if (i % 20 == 0) CHECK_OK(mproc_pool_resize(pool, 1 + i * 7 % 5));
  }
  CHECK_OK(mproc_pool_resize(pool, 3));
  for (int i = 0; i < kTasks; i++) {
    CHECK_EQ(TakeNumber(futures[i]), 2 * i + 1);
    CHECK_EQ(Begun(i), 1);
  }
  CHECK_OK(mproc_pool_wait_ready(pool, TestLong()));
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_DEATHS), 0);
  CloseJoinDestroy(pool);
}

static void BadSizesAreRefused(void) {
  mproc_pool_t* pool = ReadyPool(1);
  const int32_t bad[] = {0, -1, 4097, INT32_MAX, INT32_MIN};
  for (int i = 0; i < 5; i++) CHECK_STATUS(mproc_pool_resize(pool, bad[i]), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_SIZE), 1);
  CHECK_OK(mproc_pool_close(pool));
  CHECK_STATUS(mproc_pool_resize(pool, 2), MPROC_ERROR_NOT_RUNNING);
  CHECK_OK(mproc_pool_join(pool, TestLong()));
  CHECK_STATUS(mproc_pool_resize(pool, 2), MPROC_ERROR_NOT_RUNNING);
  CHECK_OK(mproc_pool_destroy(pool));
  CHECK_STATUS(mproc_pool_resize(pool, 2), MPROC_ERROR_STALE_HANDLE);
}

// ---- what is refused

static void BadOptionsAreRefused(void) {
  mproc_pool_options_t* options = Options(1);
  const int64_t bad[] = {0, -1, INT64_MIN};
  for (int i = 0; i < 3; i++) {
    CHECK_STATUS(mproc_pool_options_set_worker_tasks(options, bad[i]), MPROC_ERROR_INVALID_ARGUMENT);
    CHECK_STATUS(mproc_pool_options_set_worker_memory(options, bad[i]), MPROC_ERROR_INVALID_ARGUMENT);
    CHECK_STATUS(mproc_pool_options_set_worker_age(options, bad[i]), MPROC_ERROR_INVALID_ARGUMENT);
    CHECK_STATUS(mproc_pool_options_set_worker_idle(options, bad[i]), MPROC_ERROR_INVALID_ARGUMENT);
  }
  CHECK_STATUS(mproc_pool_options_set_least_workers(options, -1), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_pool_options_set_least_workers(options, 4097), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_pool_options_set_finalizer(options, 1, NULL, 1), MPROC_ERROR_INVALID_ARGUMENT);
  const int32_t limits[] = {0, -1, 4, INT32_MAX};
  for (int i = 0; i < 4; i++) {
    CHECK_STATUS(mproc_pool_options_set_worker_limit(options, limits[i], 1), MPROC_ERROR_INVALID_ARGUMENT);
  }
  CHECK_STATUS(mproc_pool_options_set_worker_limit(options, MPROC_LIMIT_FILES, 0),
               MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_pool_options_set_worker_nice(options, -21), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_pool_options_set_worker_nice(options, 20), MPROC_ERROR_INVALID_ARGUMENT);
  const int32_t cpus[] = {0, -1, 1024};
  CHECK_STATUS(mproc_pool_options_set_worker_cpus(options, NULL, 1, 0), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_pool_options_set_worker_cpus(options, cpus, 1, 2), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_pool_options_set_worker_cpus(options, cpus, 2, 0), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_pool_options_set_worker_cpus(options, cpus + 2, 1, 0), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_pool_options_set_worker_cpus(options, cpus, SIZE_MAX, 0), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_pool_options_set_restart_limit(options, -1, MPROC_SECOND), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_pool_options_set_restart_limit(options, 1, 0), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_OK(mproc_pool_options_set_worker_age(options, MPROC_FOREVER));
  CHECK_OK(mproc_pool_options_set_worker_idle(options, MPROC_FOREVER));
  CHECK_OK(mproc_pool_options_set_worker_tasks(options, INT64_MAX));
  CHECK_OK(mproc_pool_options_set_worker_memory(options, INT64_MAX));
  mproc_pool_t* pool = ReadyWith(options);
  CHECK_EQ(TakeReport(SubmitWork(pool, fn_sleep, 0, 7)).value, 7);
  CloseJoinDestroy(pool);
}

static const TestCase g_cases[] = {
    {"no task is lost or run twice", NoTaskIsLostOrRunTwice, 0},
    {"workers follow after close", WorkersFollowAfterClose, 0},
    {"the successor stands ready", TheSuccessorStandsReady, 0},
    {"cancelled tasks do not count", CancelledTasksDoNotCount, 0},
    {"large ones are replaced", LargeOnesAreReplaced, 0},
    {"a long task that grows is followed", ALongTaskThatGrowsIsFollowed, 0},
    {"old ones are replaced", OldOnesAreReplaced, 0},
    {"idle ones end and come back", IdleOnesEndAndComeBack, 0},
    {"none needs to stay", NoneNeedsToStay, 0},
    {"more workers", MoreWorkers, 0},
    {"fewer workers", FewerWorkers, 0},
    {"fewer workers that near their end", FewerWorkersThatNearTheirEnd, 0},
    {"new sizes all the time", NewSizesAllTheTime, 0},
    {"bad sizes are refused", BadSizesAreRefused, 0},
    {"every worker is called once", EveryWorkerIsCalledOnce, 0},
    {"large broadcasts", LargeBroadcasts, 0},
    {"before the first task", BeforeTheFirstTask, 0},
    {"broadcasts do not count as tasks", BroadcastsDoNotCountAsTasks, 0},
    {"busy workers are called after their task", BusyWorkersAreCalledAfterTheirTask, 0},
    {"the dead do not answer", TheDeadDoNotAnswer, 0},
    {"broadcasts at the end", BroadcastsAtTheEnd, 0},
    {"nobody is there", NobodyIsThere, 0},
    {"broadcasts while workers come and go", BroadcastsWhileWorkersComeAndGo, 0},
    {"a worker keeps its state", AWorkerKeepsItsState, 0},
    {"the last call of each worker", TheLastCallOfEachWorker, 0},
    {"the last call comes with every polite end", TheLastCallComesWithEveryPoliteEnd, 0},
    {"the last call has a limit", TheLastCallHasALimit, 0},
    {"a stopped worker does not hold up the end", AStoppedWorkerDoesNotHoldUpTheEnd, 0},
    {"workers take their limits on", WorkersTakeTheirLimitsOn, 0},
    {"a CPU for each", ACpuForEach, 0},
    {"refused limits break the pool", RefusedLimitsBreakThePool, 0},
    {"too much CPU time costs the worker", TooMuchCpuTimeCostsTheWorker, 0},
    {"too much memory is refused", TooMuchMemoryIsRefused, 0},
    {"too many deaths break the pool", TooManyDeathsBreakThePool, 0},
    {"deaths are forgotten", DeathsAreForgotten, 0},
    {"bad options are refused", BadOptionsAreRefused, 0},
};

int main(int argc, char** argv) { return TEST_MAIN(argc, argv, g_cases); }
