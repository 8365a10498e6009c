// SPDX-License-Identifier: MIT
// What dies and what lives on when workers die, stop, or cannot start.
#include <pthread.h>

#include "host.h"

static mproc_future_t* TakeLost(mproc_future_t* future, int32_t cause, int signal, int exit_code) {
  WaitEnd(future);
  CHECK_EQ(Outcome(future), MPROC_OUTCOME_WORKER_LOST);
  CHECK_STATUS(mproc_future_error(future), MPROC_ERROR_WORKER_LOST);
  CHECK_EQ(Info(future, MPROC_FUTURE_INFO_CAUSE), cause);
  CHECK_EQ(Info(future, MPROC_FUTURE_INFO_SIGNAL), signal);
  CHECK_EQ(Info(future, MPROC_FUTURE_INFO_EXIT_CODE), exit_code);
  return future;
}
static void CheckMessage(mproc_future_t* future, pid_t pid, int64_t number, const char* how,
                         const char* function) {
  char part[64];
  const char* message = Message(future);
  CHECK_EQ(Info(future, MPROC_FUTURE_INFO_WORKER_PID), pid);
  CHECK_EQ(Info(future, MPROC_FUTURE_INFO_WORKER_NUMBER), number);
  snprintf(part, sizeof part, "pid %d", (int)pid);
  CHECK_HAS(message, part);
  snprintf(part, sizeof part, "worker %lld", (long long)number);
  CHECK_HAS(message, part);
  snprintf(part, sizeof part, "task %lld", (long long)Info(future, MPROC_FUTURE_INFO_TASK_ID));
  CHECK_HAS(message, part);
  CHECK_HAS(message, how);
  CHECK_HAS(message, function);
}
// The pool has all its workers again and works.
static void CheckReplaced(mproc_pool_t* pool, uint64_t deaths) {
  int32_t workers = 0;
  CHECK_OK(mproc_pool_wait_ready(pool, TestLong()));
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_DEATHS), deaths);
  CHECK_OK(mproc_pool_worker_count(pool, &workers));
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_WORKERS), workers);
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_STARTS), (uint64_t)workers + deaths);
  CHECK_EQ(TakeNumber(SubmitNumber(pool, fn_square, 300)), 90000);
}

// ---- one way to die each

static void DeathByExit(void) {
  const int codes[] = {0, 1, 3, 255};
  mproc_pool_t* pool = ReadyPool(1);
  for (int i = 0; i < 4; i++) {
    pid_t pid = WorkerPid(pool, 0);
    char how[32];
    snprintf(how, sizeof how, "code %d", codes[i]);
    mproc_future_t* future = TakeLost(SubmitNumber(pool, fn_exit, codes[i]), MPROC_CAUSE_EXIT, 0, codes[i]);
    CheckMessage(future, pid, i + 1, how, "exit");
    Release(future);
    CheckReplaced(pool, (uint64_t)i + 1);
    CHECK(TestGone(pid));
    CHECK(WorkerPid(pool, 0) != pid);
  }
  CloseJoinDestroy(pool);
}

static void DeathBySignal(void) {
  const int signals[] = {SIGKILL, SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGPIPE, SIGALRM};
  const char* names[] = {"SIGKILL", "SIGTERM", "SIGINT", "SIGHUP", "SIGUSR1", "SIGPIPE", "SIGALRM"};
  mproc_pool_t* pool = ReadyPool(1);
  for (int i = 0; i < 7; i++) {
    pid_t pid = WorkerPid(pool, 0);
    mproc_future_t* future =
        TakeLost(SubmitNumber(pool, fn_raise, signals[i]), MPROC_CAUSE_SIGNAL, signals[i], 0);
    CheckMessage(future, pid, i + 1, names[i], "raise");
    Release(future);
    CheckReplaced(pool, (uint64_t)i + 1);
  }
  CloseJoinDestroy(pool);
}

static void CrashTellsWhere(void) {
  const char* trace = NULL;
  mproc_pool_t* pool = ReadyPool(1);
  pid_t pid = WorkerPid(pool, 0);
  mproc_future_t* future = Submit(pool, fn_segv, NULL, 0);
  if (TestSanitized()) {
    WaitEnd(future);
    CHECK_EQ(Outcome(future), MPROC_OUTCOME_WORKER_LOST);
  } else {
    TakeLost(future, MPROC_CAUSE_SIGNAL, SIGSEGV, 0);
    CheckMessage(future, pid, 1, "SIGSEGV", "segv");
    CHECK_OK(mproc_future_error_trace(future, &trace));
    CHECK_HAS(trace, "CrashHereByName");
    CHECK_HAS(trace, "functions.so");
    CHECK_HAS(trace, "SIGSEGV");
  }
  Release(future);
  CheckReplaced(pool, 1);
  pid = WorkerPid(pool, 0);
  future = Submit(pool, fn_abort, NULL, 0);
  if (TestSanitized()) {
    WaitEnd(future);
    CHECK_EQ(Outcome(future), MPROC_OUTCOME_WORKER_LOST);
  } else {
    TakeLost(future, MPROC_CAUSE_SIGNAL, SIGABRT, 0);
    CheckMessage(future, pid, 2, "SIGABRT", "abort");
    CHECK_OK(mproc_future_error_trace(future, &trace));
    CHECK_HAS(trace, "functions.so");
  }
  Release(future);
  CheckReplaced(pool, 2);
  // A death that is no fault leaves no native stack, in particular not that of an earlier one.
  future = TakeLost(SubmitNumber(pool, fn_raise, SIGKILL), MPROC_CAUSE_SIGNAL, SIGKILL, 0);
  CHECK_OK(mproc_future_error_trace(future, &trace));
  CHECK(strncmp(trace, "the last steps of worker ", 25) == 0);
  Release(future);
  CloseJoinDestroy(pool);
}

static void OutOfMemory(void) {
  if (TestSanitized()) TestSkip("sanitizers need address space of their own");
  mproc_pool_t* pool = ReadyPool(1);
  pid_t pid = WorkerPid(pool, 0);
  mproc_future_t* future = SubmitNumber(pool, fn_hog, 0);  // the function copes
  WaitEnd(future);
  CHECK_EQ(Outcome(future), MPROC_OUTCOME_ERROR);
  CHECK_EQ(Info(future, MPROC_FUTURE_INFO_ERROR_CODE), 12);
  Release(future);
  future = SubmitNumber(pool, fn_hog, 1);  // the library copes with a large value
  CHECK_EQ(TakeNumber(future), MPROC_ERROR_OUT_OF_MEMORY);
  CHECK_EQ(WorkerPid(pool, 0), pid);  // and the worker is as good as before
  CHECK_EQ(TakeNumber(SubmitNumber(pool, fn_square, 7)), 49);
  future = TakeLost(SubmitNumber(pool, fn_hog, 2), MPROC_CAUSE_SIGNAL, SIGSEGV, 0);
  CheckMessage(future, pid, 1, "SIGSEGV", "hog");
  Release(future);
  CheckReplaced(pool, 1);
  future =
      SubmitNumber(pool, fn_hog, 3);  // nothing left for the worker itself: whatever it does, the host lives
  WaitEnd(future);
  CHECK(Outcome(future) == MPROC_OUTCOME_VALUE || Outcome(future) == MPROC_OUTCOME_ERROR ||
        Outcome(future) == MPROC_OUTCOME_WORKER_LOST);
  Release(future);
  for (int i = 0; i < 50; i++) {
    future = SubmitNumber(pool, fn_square, i);
    WaitEnd(future);
    Release(future);
  }
  CHECK_OK(mproc_pool_wait_ready(pool, TestLong()));
  CHECK_OK(mproc_pool_destroy(pool));
}

// ---- nobody else suffers

// A gate task that runs and has not been killed, -1 if none does.
static int NextGate(const bool* dead, int count) {
  for (int i = 20; i < count; i += 50) {
    if (Begun(i) && !dead[i]) return i;
  }
  return -1;
}

// One worker holds many tasks when it dies: the running one is lost, the others run once, elsewhere or later.
static void OnlyTheRunningTaskIsLost(void) {
  enum { kTasks = 300 };
  mproc_future_t* futures[kTasks];
  mproc_pool_t* pool = ReadyPool(2);
  for (int64_t i = 0; i < 200; i++)
    CHECK_EQ(TakeNumber(SubmitWork(pool, fn_mark, 0, 1000 + i)), 2 * (1000 + i) + 1);
  for (int i = 0; i < kTasks; i++) futures[i] = SubmitWork(pool, i % 50 == 20 ? fn_gate : fn_mark, 0, i);
  // Each gate task is killed once it runs; in which order they come to run is the pool's business.
  const int gates = kTasks / 50;
  bool dead[kTasks] = {false};
  int killed = 0, next = 0;
  while (killed < gates) {
    NEED_SOON((next = NextGate(dead, kTasks)) >= 0);
    pid_t pid = (pid_t)atomic_load(&g_board->pid[next]);
    CHECK_EQ(TestKill(pid, SIGKILL), 0);
    TakeLost(futures[next], MPROC_CAUSE_SIGNAL, SIGKILL, 0);
    CHECK_EQ(Info(futures[next], MPROC_FUTURE_INFO_WORKER_PID), pid);
    dead[next] = true;
    killed++;
  }
  CHECK_OK(mproc_future_wait_all(futures, kTasks, TestLong()));
  for (int i = 0; i < kTasks; i++) {
    bool lost = i % 50 == 20;
    CHECK_EQ(Outcome(futures[i]), lost ? MPROC_OUTCOME_WORKER_LOST : MPROC_OUTCOME_VALUE);
    CHECK_EQ(Begun(i), 1);
    CHECK_EQ(Ended(i), !lost);
    if (!lost) CHECK_EQ(NumberOf(futures[i]), 2 * i + 1);
    Release(futures[i]);
  }
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_LOST), killed);
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_VALUES), 200 + kTasks - killed);
  CheckReplaced(pool, (uint64_t)killed);
  CloseJoinDestroy(pool);
}

static void IdleDeathLosesNothing(void) {
  mproc_pool_t* pool = ReadyPool(3);
  for (int i = 0; i < 3; i++) CHECK_EQ(TestKill(WorkerPid(pool, i), SIGKILL), 0);
  CHECK_SOON(Statistic(pool, MPROC_POOL_STATISTIC_DEATHS) == 3);
  CheckReplaced(pool, 3);
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_LOST), 0);
  CloseJoinDestroy(pool);
}

static void AllWorkersDieAtOnce(void) {
  enum { kTasks = 200, kWorkers = 4 };
  mproc_future_t* futures[kTasks];
  mproc_pool_t* pool = ReadyPool(kWorkers);
  for (int i = 0; i < kTasks; i++) futures[i] = SubmitWork(pool, i < kWorkers ? fn_gate : fn_mark, 0, i);
  NEED_SOON(CountBegun(0, kWorkers) == kWorkers);
  for (int i = 0; i < kWorkers; i++) TestKill(WorkerPid(pool, i), SIGKILL);
  CHECK_OK(mproc_future_wait_all(futures, kTasks, TestLong()));
  for (int i = 0; i < kTasks; i++) {
    CHECK_EQ(Outcome(futures[i]), i < kWorkers ? MPROC_OUTCOME_WORKER_LOST : MPROC_OUTCOME_VALUE);
    CHECK_EQ(Begun(i), 1);
    Release(futures[i]);
  }
  CheckReplaced(pool, kWorkers);
  CloseJoinDestroy(pool);
}

// A worker that dies again and again, but serves in between, does not break the pool.
static void ServingResetsTheCount(void) {
  mproc_pool_t* pool = ReadyPool(1);
  for (int i = 0; i < 12; i++) Release(TakeLost(SubmitNumber(pool, fn_exit, 4), MPROC_CAUSE_EXIT, 0, 4));
  CheckReplaced(pool, 12);
  CloseJoinDestroy(pool);
}

static void LauncherDies(void) {
  if (!TestHasLauncher()) TestSkip("there is none");
  mproc_pool_t* pool = ReadyPool(2);
  int64_t launcher = 0, next = 0;
  mproc_future_t* futures[40];
  for (int i = 0; i < 40; i++) futures[i] = SubmitWork(pool, i < 2 ? fn_gate : fn_mark, 0, i);
  NEED_SOON(CountBegun(0, 2) == 2);
  CHECK_OK(mproc_runtime_launcher_pid(&launcher));
  CHECK_EQ(TestKill((pid_t)launcher, SIGKILL), 0);
  CHECK_OK(mproc_future_wait_all(futures, 40, TestLong()));
  for (int i = 0; i < 40; i++) {
    if (i < 2) {
      CHECK_EQ(Outcome(futures[i]), MPROC_OUTCOME_WORKER_LOST);
      CHECK_EQ(Info(futures[i], MPROC_FUTURE_INFO_CAUSE), MPROC_CAUSE_LAUNCHER);
      CHECK_EQ(Info(futures[i], MPROC_FUTURE_INFO_EXIT_CODE), 255);
    } else {
      CHECK_EQ(Outcome(futures[i]), MPROC_OUTCOME_VALUE);
    }
    CHECK_EQ(Begun(i), 1);
    Release(futures[i]);
  }
  CHECK_OK(mproc_pool_wait_ready(pool, TestLong()));
  CHECK_OK(mproc_runtime_launcher_pid(&next));
  CHECK(next > 1 && next != launcher);
  CloseJoinDestroy(pool);
}

// What it takes along before the workers are ready was no bad start of theirs.
static void LauncherDiesOverAStart(void) {
  if (!TestHasLauncher()) TestSkip("there is none");
  Work gate = {0, 300};
  int64_t launcher = 0;
  mproc_pool_options_t* options = Options(2);
  NEED_OK(mproc_pool_options_set_initializer(options, fn_gate, &gate, sizeof gate));
  mproc_pool_t* pool = CreateWith(options);
  NEED_SOON(Begun(300) == 2);
  CHECK_OK(mproc_runtime_launcher_pid(&launcher));
  CHECK_EQ(TestKill((pid_t)launcher, SIGKILL), 0);
  NEED_SOON(Begun(300) == 4);
  OpenGate(300);
  CHECK_OK(mproc_pool_wait_ready(pool, TestLong()));
  CloseJoinDestroy(pool);
}

// ---- stopped workers

static void StoppedWorkerKeepsOnlyItsTask(void) {
  enum { kTasks = 100 };
  mproc_future_t* futures[kTasks];
  mproc_pool_t* pool = ReadyPool(2);
  mproc_future_t* running = SubmitWork(pool, fn_gate, 0, 1000);
  NEED_SOON(Begun(1000) == 1);
  pid_t stopped = (pid_t)atomic_load(&g_board->pid[1000]);
  for (int i = 0; i < kTasks; i++) futures[i] = SubmitWork(pool, fn_mark, i < 4 ? 20 : 0, i);
  CHECK_EQ(TestKill(stopped, SIGSTOP), 0);
  CHECK_OK(mproc_future_wait_all(futures, kTasks, TestLong()));  // all of them, by the other one
  for (int i = 0; i < kTasks; i++) {
    CHECK_EQ(NumberOf(futures[i]), 2 * i + 1);
    CHECK_EQ(Begun(i), 1);
    CHECK(Info(futures[i], MPROC_FUTURE_INFO_WORKER_PID) != stopped);
    Release(futures[i]);
  }
  int32_t place = WorkerPid(pool, 0) == stopped ? 0 : 1;
  CHECK_EQ(WorkerInfo(pool, place, MPROC_WORKER_INFO_STATE), MPROC_WORKER_STATE_STOPPED);
  OpenGate(1000);
  CHECK_STATUS(mproc_future_wait(running, 100 * MPROC_MILLISECOND),
               MPROC_ERROR_TIMED_OUT);  // not dead, only stopped
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_DEATHS), 0);
  CHECK_EQ(TestKill(stopped, SIGCONT), 0);
  CHECK_EQ(TakeReport(running).pid, stopped);
  WarmUp(pool, 2);  // both serve again
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_DEATHS), 0);
  CloseJoinDestroy(pool);
}

// An idle worker that is stopped has begun nothing: what it is given by mistake goes elsewhere.
static void StoppedIdleWorkerHoldsNothingUp(void) {
  enum { kTasks = 60 };
  mproc_future_t* futures[kTasks];
  mproc_pool_t* pool = ReadyPool(2);
  WarmUp(pool, 2);
  pid_t stopped = WorkerPid(pool, 0);
  CHECK_EQ(TestKill(stopped, SIGSTOP), 0);
  NEED_SOON(TestState(stopped) == 'T');
  for (int i = 0; i < kTasks; i++) futures[i] = SubmitWork(pool, fn_mark, 1, i);
  CHECK_OK(mproc_future_wait_all(futures, kTasks, TestLong()));
  for (int i = 0; i < kTasks; i++) {
    CHECK_EQ(Begun(i), 1);
    CHECK(Info(futures[i], MPROC_FUTURE_INFO_WORKER_PID) != stopped);
    Release(futures[i]);
  }
  CHECK_EQ(TestKill(stopped, SIGCONT), 0);
  WarmUp(pool, 2);
  CloseJoinDestroy(pool);
}

static void StoppedWorkersAreEnded(void) {
  for (int way = 0; way < 3; way++) {
    mproc_pool_t* pool = ReadyPool(2);
    mproc_future_t* running = SubmitWork(pool, fn_gate, 0, 1000 + way);
    NEED_SOON(Begun(1000 + way) == 1);
    pid_t pids[2] = {WorkerPid(pool, 0), WorkerPid(pool, 1)};
    for (int i = 0; i < 2; i++) CHECK_EQ(TestKill(pids[i], SIGSTOP), 0);
    for (int i = 0; i < 2; i++) NEED_SOON(TestState(pids[i]) == 'T');
    if (way == 0) CHECK_OK(mproc_pool_terminate(pool));
    if (way == 2) CHECK_OK(mproc_runtime_finish(TestLong()));
    CHECK_OK(mproc_pool_destroy(pool));
    for (int i = 0; i < 2; i++) CHECK_SOON(TestGone(pids[i]));
    TakeEnd(running, MPROC_OUTCOME_CANCELLED, way == 0 ? MPROC_CAUSE_TERMINATE : MPROC_CAUSE_DESTROY);
  }
}

static void StoppedWorkerMayDie(void) {
  mproc_pool_t* pool = ReadyPool(1);
  mproc_future_t* running = SubmitWork(pool, fn_gate, 0, 1000);
  mproc_future_t* queued = SubmitWork(pool, fn_mark, 0, 1);
  NEED_SOON(Begun(1000) == 1);
  pid_t pid = WorkerPid(pool, 0);
  CHECK_EQ(TestKill(pid, SIGSTOP), 0);
  NEED_SOON(TestState(pid) == 'T');
  CHECK_STATUS(mproc_future_wait(queued, 50 * MPROC_MILLISECOND), MPROC_ERROR_TIMED_OUT);
  CHECK_EQ(TestKill(pid, SIGKILL), 0);
  Release(TakeLost(running, MPROC_CAUSE_SIGNAL, SIGKILL, 0));
  CHECK_EQ(TakeNumber(queued), 3);
  CheckReplaced(pool, 1);
  CloseJoinDestroy(pool);
}

// ---- workers that cannot start

// Checks a pool whose workers fail to start: wait_ready tells `status`, every future NOT_RUN, both why.
static void CheckBroken(mproc_pool_options_t* options, int32_t status, const char* why) {
  mproc_future_t *early[5], *late = NULL;
  char message[16384] = "";
  size_t size = 0;
  mproc_pool_t* pool = NULL;
  NEED_OK(mproc_pool_create(options, &pool));
  for (int i = 0; i < 5; i++) {
    early[i] = NULL;
    int32_t submitted = mproc_pool_submit(pool, fn_square, "12345678", 8, 0, &early[i]);
    if (submitted != MPROC_OK) CHECK_STATUS(submitted, MPROC_ERROR_BROKEN);  // so soon
  }
  CHECK_STATUS(mproc_pool_wait_ready(pool, TestLong()), status);
  CHECK_HAS(mproc_last_error_message(), why);
  CHECK_OK(mproc_future_wait_all(early, 5, TestLong()));
  for (int i = 0; i < 5; i++) {
    if (!early[i]) continue;
    CHECK_EQ(Outcome(early[i]), MPROC_OUTCOME_NOT_RUN);
    CHECK_STATUS(mproc_future_error(early[i]), MPROC_ERROR_NOT_RUN);
    CHECK_EQ(Info(early[i], MPROC_FUTURE_INFO_CAUSE), MPROC_CAUSE_BROKEN);
    CHECK_HAS(Message(early[i]), why);
    Release(early[i]);
  }
  CHECK_STATUS(mproc_pool_submit(pool, fn_square, "12345678", 8, 0, &late), MPROC_ERROR_BROKEN);
  CHECK_STATUS(mproc_pool_submit(pool, fn_square, "12345678", 8, MPROC_FOREVER, &late), MPROC_ERROR_BROKEN);
  CHECK_STATUS(mproc_pool_apply(pool, fn_square, "12345678", 8, MPROC_FOREVER, &late), MPROC_ERROR_BROKEN);
  CHECK_STATUS(mproc_pool_map(pool, fn_square, NULL, NULL, 3, 1, 0, MPROC_FOREVER, &late),
               MPROC_ERROR_BROKEN);
  CHECK_STATUS(mproc_pool_error_message(pool, NULL, 0, &size), MPROC_ERROR_BUFFER_TOO_SMALL);
  CHECK(size > 0 && size < sizeof message);
  CHECK_STATUS(mproc_pool_error_message(pool, message, size, NULL), MPROC_ERROR_BUFFER_TOO_SMALL);
  CHECK_OK(mproc_pool_error_message(pool, message, size + 1, &size));
  CHECK_EQ(strlen(message), size);
  CHECK_HAS(message, why);
  CHECK(Statistic(pool, MPROC_POOL_STATISTIC_STARTS) < 30);  // it has given up
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_WORKERS), 0);
  CHECK_OK(mproc_pool_close(pool));
  CHECK_OK(mproc_pool_join(pool, TestLong()));
  CHECK_OK(mproc_pool_destroy(pool));
}

static void InitializerFails(void) {
  mproc_pool_options_t* options = Options(2);
  NEED_OK(mproc_pool_options_set_initializer(options, fn_keep, "fail", 4));
  CheckBroken(options, MPROC_ERROR_BROKEN, "no licence found");
  CHECK(atomic_load(&g_board->initialized) >= 5);
  CHECK(atomic_load(&g_board->initialized) < 15);  // no storm of starts
  NEED_OK(mproc_pool_options_set_initializer(options, fn_keep, "die", 3));
  CheckBroken(options, MPROC_ERROR_BROKEN, "code 9");
  NEED_OK(mproc_pool_options_set_initializer(options, 9999, "x", 1));
  CheckBroken(options, MPROC_ERROR_BROKEN, "9999");
  CHECK_OK(mproc_pool_options_destroy(options));
}

static void MendedFailureIsForgotten(void) {
  mproc_pool_options_t* options = Options(1);
  mproc_pool_t* pool = NULL;
  NEED_OK(mproc_pool_options_set_initializer(options, fn_keep, "mend", 4));
  NEED_OK(mproc_pool_create(options, &pool));
  CHECK_SOON(mproc_pool_wait_ready(pool, TestLong()) == MPROC_OK);
  CHECK_EQ(atomic_load(&g_board->initialized), 2);
  CHECK_EQ(TestKill(IdlePid(pool), SIGKILL), 0);
  CHECK_SOON(atomic_load(&g_board->initialized) == 3);
  CHECK_STATUS(mproc_pool_wait_ready(pool, 10 * MPROC_MILLISECOND), MPROC_ERROR_TIMED_OUT);
  atomic_store(&g_board->open[0], 1);
  CHECK_OK(mproc_pool_wait_ready(pool, TestLong()));
  CloseJoinDestroy(pool);
  CHECK_OK(mproc_pool_options_destroy(options));
}

static void StartLimitPasses(void) {
  mproc_pool_options_t* options = Options(1);
  NEED_OK(mproc_pool_options_set_initializer(options, fn_keep, "hang", 4));
  NEED_OK(mproc_pool_options_set_start_limit(options, 50 * MPROC_MILLISECOND * TestSlowness()));
  CheckBroken(options, MPROC_ERROR_BROKEN, "start limit");
  CHECK_OK(mproc_pool_options_destroy(options));
}

static void BadModules(void) {
  mproc_pool_options_t* options = Options(1);
  NEED_OK(mproc_pool_options_set_module(options, "/nonexistent/module.so"));
  CheckBroken(options, MPROC_ERROR_BAD_MODULE, "/nonexistent/module.so");
  NEED_OK(
      mproc_pool_options_set_module(options, "libmproc-no-such-module.so"));  // as the loader looks for it
  CheckBroken(options, MPROC_ERROR_BAD_MODULE, "libmproc-no-such-module.so");
  NEED_OK(mproc_pool_options_set_module(options, __FILE__));
  CheckBroken(options, MPROC_ERROR_BAD_MODULE, "deaths_test");
  NEED_OK(mproc_pool_options_set_module(options, "/"));
  CheckBroken(options, MPROC_ERROR_BAD_MODULE, "/");
  NEED_OK(mproc_pool_options_set_module(options, "libm.so.6"));  // a library, but no module
  CheckBroken(options, MPROC_ERROR_BAD_MODULE, "mproc_module_main");
  NEED_OK(mproc_pool_options_set_module(options, TEST_MODULE_REFUSING));
  CheckBroken(options, MPROC_ERROR_BAD_MODULE, "MPROC_ERROR_UNSUPPORTED");
  CHECK_OK(mproc_pool_options_destroy(options));
}

// The host never loads the module: what its constructor does hits workers only.
static void ModulesThatCrash(void) {
  mproc_pool_options_t* options = Options(1);
  NEED_OK(mproc_pool_options_set_module(options, TEST_MODULE_CRASHING));
  setenv("MPROC_TEST_CRASH", "constructor", 1);
  CheckBroken(options, MPROC_ERROR_BROKEN, TestSanitized() ? "before it was ready" : "signal 11");
  setenv("MPROC_TEST_CRASH", "exit", 1);
  CheckBroken(options, MPROC_ERROR_BROKEN, "code 6");
  setenv("MPROC_TEST_CRASH", "entry", 1);
  CheckBroken(options, MPROC_ERROR_BROKEN, TestSanitized() ? "before it was ready" : "signal 11");
  setenv("MPROC_TEST_CRASH", "nothing", 1);
  mproc_pool_t* pool = ReadyWith(options);
  CHECK_OK(mproc_pool_destroy(pool));
}

// Whoever waits for the ends of their workers is not kept: not when the start limit has passed, nor before.
static void ModulesThatHang(void) {
  mproc_pool_options_t* options = Options(2);
  NEED_OK(mproc_pool_options_set_module(options, TEST_MODULE_CRASHING));
  NEED_OK(mproc_pool_options_set_start_limit(options, 50 * MPROC_MILLISECOND * TestSlowness()));
  setenv("MPROC_TEST_CRASH", "hang", 1);
  CheckBroken(options, MPROC_ERROR_BROKEN, "start limit");
  NEED_OK(mproc_pool_options_set_start_limit(options, 10 * TestLong()));
  for (int way = 0; way < 3; way++) {
    mproc_pool_t* pool = NULL;
    NEED_OK(mproc_pool_create(options, &pool));
    if (way > 0) TestRest(20 * MPROC_MILLISECOND * way);
    CHECK_OK(way == 1 ? mproc_pool_terminate(pool) : mproc_pool_close(pool));
    if (way > 0) CHECK_OK(mproc_pool_join(pool, TestLong()));
    CHECK_OK(mproc_pool_destroy(pool));
  }
  CHECK_OK(mproc_runtime_finish(TestLong()));
  CHECK_OK(mproc_pool_options_destroy(options));
}

static void TablesMustMatch(void) {
  mproc_table_t* table = NULL;
  uint64_t empty = 0, one = 0;
  mproc_pool_options_t* options = Options(1);
  NEED_OK(mproc_table_create(&table));
  CHECK_OK(mproc_table_fingerprint(table, &empty));
  NEED_OK(mproc_table_add(table, fn_square, "square", NULL, NULL));
  CHECK_OK(mproc_table_fingerprint(table, &one));
  CHECK(empty != one);
  NEED_OK(mproc_pool_options_set_table(options, table));
  CheckBroken(options, MPROC_ERROR_TABLE_MISMATCH, "function table");
  CHECK_OK(mproc_table_destroy(table));
  CHECK_OK(mproc_pool_options_destroy(options));
}

typedef struct {
  atomic_int values, errors;
  int32_t outcome, cause;
} Calls;
static void OnValue(mproc_future_t* future, void* user_data) {
  (void)future;
  atomic_fetch_add(&((Calls*)user_data)->values, 1);
}
static void OnError(mproc_future_t* future, void* user_data) {
  Calls* calls = user_data;
  calls->outcome = Outcome(future);
  calls->cause = (int32_t)Info(future, MPROC_FUTURE_INFO_CAUSE);
  atomic_fetch_add(&calls->errors, 1);
}
// A broken pool comes to its end by itself, and every callback runs, with nobody waiting.
static void BrokenCallsBack(void) {
  Calls calls = {0};
  int64_t values[10] = {0};
  mproc_pool_options_t* options = Options(1);
  NEED_OK(mproc_pool_options_set_initializer(options, fn_keep, "fail", 4));
  mproc_pool_t* pool = CreateWith(options);
  for (int i = 0; i < 7; i++) {
    NEED_OK(mproc_pool_submit_callback(pool, fn_square, values, 8, 0, OnValue, OnError, &calls, NULL));
  }
  NEED_OK(mproc_pool_map_array_async(pool, fn_square, values, 8, 10, values, 8, 1, OnValue, OnError, &calls,
                                     NULL));
  CHECK_SOON(calls.errors == 8);
  CHECK_EQ(calls.values, 0);
  CHECK_EQ(calls.outcome, MPROC_OUTCOME_NOT_RUN);
  CHECK_EQ(calls.cause, MPROC_CAUSE_BROKEN);
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_NOT_RUN), 8);
  CHECK_OK(mproc_pool_destroy(pool));
  CHECK_EQ(calls.errors, 8);
}

// A pool breaks when its workers cannot be replaced any more: the running task ends as it does, others do not
// run.
static void BreaksLater(void) {
  if (TestForked()) TestSkip("the template has loaded the module");
  mproc_pool_options_t* options = Options(1);
  char module[600];
  snprintf(module, sizeof module, "%s.so", TestFile());
  NEED(symlink(TEST_MODULE, module) == 0);
  NEED_OK(mproc_pool_options_set_module(options, module));
  mproc_pool_t* pool = ReadyWith(options);
  mproc_future_t* running = SubmitWork(pool, fn_gate, 0, 0);
  mproc_future_t* queued[10];
  for (int i = 0; i < 10; i++) queued[i] = SubmitWork(pool, fn_mark, 0, 1 + i);
  NEED_SOON(Begun(0) == 1);
  CHECK_EQ(unlink(module), 0);
  CHECK_EQ(TestKill(WorkerPid(pool, 0), SIGKILL), 0);
  Release(TakeLost(running, MPROC_CAUSE_SIGNAL, SIGKILL, 0));
  for (int i = 0; i < 10; i++) TakeEnd(queued[i], MPROC_OUTCOME_NOT_RUN, MPROC_CAUSE_BROKEN);
  CHECK_EQ(CountBegun(1, 10), 0);
  CHECK_STATUS(mproc_pool_submit(pool, fn_square, NULL, 0, 0, &running), MPROC_ERROR_BROKEN);
  CHECK_OK(mproc_pool_destroy(pool));
}

// While one worker serves, a broken pool still runs what it has taken.
static void BrokenPoolUsesWhoIsLeft(void) {
  if (TestForked()) TestSkip("the template has loaded the module");
  mproc_pool_options_t* options = Options(2);
  char module[600];
  snprintf(module, sizeof module, "%s.so", TestFile());
  NEED(symlink(TEST_MODULE, module) == 0);
  NEED_OK(mproc_pool_options_set_module(options, module));
  mproc_pool_t* pool = ReadyWith(options);
  mproc_future_t* gates[2] = {SubmitWork(pool, fn_gate, 0, 0), SubmitWork(pool, fn_gate, 0, 1)};
  mproc_future_t* queued[10];
  for (int i = 0; i < 10; i++) queued[i] = SubmitWork(pool, fn_mark, 0, 2 + i);
  NEED_SOON(CountBegun(0, 2) == 2);
  CHECK_EQ(unlink(module), 0);
  CHECK_EQ(TestKill((pid_t)atomic_load(&g_board->pid[0]), SIGKILL), 0);
  Release(TakeLost(gates[0], MPROC_CAUSE_SIGNAL, SIGKILL, 0));
  CHECK_STATUS(mproc_pool_wait_ready(pool, TestLong()), MPROC_ERROR_BAD_MODULE);
  OpenGate(1);
  TakeReport(gates[1]);
  for (int i = 0; i < 10; i++) CHECK_EQ(TakeNumber(queued[i]), 2 * (2 + i) + 1);
  CHECK_OK(mproc_pool_destroy(pool));
}

// ---- exceptions of another language

static void ExceptionBecomesAnError(void) {
  const char* type = NULL;
  mproc_pool_options_t* options = Options(1);
  NEED_OK(mproc_pool_options_set_module(options, TEST_MODULE_THROWING));
  mproc_pool_t* pool = ReadyWith(options);
  pid_t pid = WorkerPid(pool, 0);
  for (int round = 0; round < 3; round++) {
    mproc_future_t* future = Submit(pool, 1, "the lights went out", 19);
    WaitEnd(future);
    CHECK_EQ(Outcome(future), MPROC_OUTCOME_ERROR);
    CHECK_HAS(Message(future), "the lights went out");
    CHECK_OK(mproc_future_error_type(future, &type));
    CHECK_HAS(type, "runtime_error");
    CHECK(Info(future, MPROC_FUTURE_INFO_ERROR_CODE) != 0);
    Release(future);
    future = Submit(pool, 2, NULL, 0);  // not even a class
    WaitEnd(future);
    CHECK_EQ(Outcome(future), MPROC_OUTCOME_ERROR);
    CHECK(Info(future, MPROC_FUTURE_INFO_ERROR_CODE) != 0);
    Release(future);
  }
  CHECK_EQ(WorkerPid(pool, 0), pid);
  CloseJoinDestroy(pool);
}

int main(int argc, char** argv) {
  static const TestCase cases[] = {
      {"death by exit", DeathByExit, 0},
      {"death by signal", DeathBySignal, 0},
      {"crash tells where", CrashTellsWhere, 0},
      {"out of memory", OutOfMemory, 0},
      {"only the running task is lost", OnlyTheRunningTaskIsLost, 0},
      {"idle death loses nothing", IdleDeathLosesNothing, 0},
      {"all workers die at once", AllWorkersDieAtOnce, 0},
      {"serving resets the count", ServingResetsTheCount, 0},
      {"launcher dies", LauncherDies, 0},
      {"launcher dies over a start", LauncherDiesOverAStart, 0},
      {"stopped worker keeps only its task", StoppedWorkerKeepsOnlyItsTask, 0},
      {"stopped idle worker holds nothing up", StoppedIdleWorkerHoldsNothingUp, 0},
      {"stopped workers are ended", StoppedWorkersAreEnded, 0},
      {"stopped worker may die", StoppedWorkerMayDie, 0},
      {"initializer fails", InitializerFails, 0},
      {"mended failure is forgotten", MendedFailureIsForgotten, 0},
      {"start limit passes", StartLimitPasses, 0},
      {"bad modules", BadModules, 0},
      {"modules that crash", ModulesThatCrash, 0},
      {"modules that hang", ModulesThatHang, 0},
      {"tables must match", TablesMustMatch, 0},
      {"broken calls back", BrokenCallsBack, 0},
      {"breaks later", BreaksLater, 0},
      {"broken pool uses who is left", BrokenPoolUsesWhoIsLeft, 0},
      {"exception becomes an error", ExceptionBecomesAnError, 0},
  };
  return TEST_MAIN(argc, argv, cases);
}
