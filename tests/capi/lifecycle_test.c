// SPDX-License-Identifier: MIT
// The lives of pools, of the runtime and of programs that use them: every end in every state and order.
#include <malloc.h>
#include <pthread.h>
#include <sys/resource.h>

#include "host.h"

// ---- every sequence of calls in every state

enum { kFresh, kIdle, kRunning, kQueued, kBroken, kStates };

typedef struct {
  mproc_pool_t* pool;
  mproc_future_t* futures[10];
  int count;
} Subject;

static Subject InState(int state) {
  static int64_t cell;
  Subject subject = {.count = 0};
  mproc_pool_options_t* options = Options(2);
  if (state == kBroken) NEED_OK(mproc_pool_options_set_initializer(options, fn_keep, "fail", 4));
  subject.pool = CreateWith(options);
  if (state == kIdle || state == kRunning || state == kQueued) {
    NEED_OK(mproc_pool_wait_ready(subject.pool, TestLong()));
  }
  int tasks = state == kRunning ? 2 : state == kQueued ? 10 : 0;
  for (int i = 0; i < tasks; i++)
    subject.futures[subject.count++] = SubmitWork(subject.pool, fn_gate, 0, cell + i);
  if (tasks) NEED_SOON(CountBegun(cell, 10) == 2);
  if (state == kBroken) {
    CHECK(mproc_pool_wait_ready(subject.pool, TestLong()) < 0);
    NEED_SOON(mproc_pool_submit(subject.pool, fn_noop, NULL, 0, 0, subject.futures) == MPROC_ERROR_BROKEN ||
              (Release(subject.futures[0]), false));
  }
  cell += 10;
  return subject;
}

// c close, t terminate, j join, d destroy, f finish the runtime.
static void RunSequence(int state, const char* calls) {
  atomic_store(&OpenBoard()->all_open, 0);
  Subject subject = InState(state);
  mproc_pool_t* pool = subject.pool;
  bool closed = false, terminated = false, finished = false, joined = false;
  int32_t gone = MPROC_OK;
  for (const char* call = calls; *call; call++) {
    mproc_future_t* future = NULL;
    switch (*call) {
      case 'c':
        CHECK_STATUS(mproc_pool_close(pool), gone);
        closed = true;
        break;
      case 't':
        CHECK_STATUS(mproc_pool_terminate(pool), gone);
        terminated |= !joined;
        break;
      case 'j':
        if (!gone && !closed && !terminated && !finished) {
          CHECK_STATUS(mproc_pool_join(pool, MPROC_FOREVER), MPROC_ERROR_STILL_RUNNING);
          break;
        }
        if (!gone && !terminated && !finished && !joined && subject.count) {
          CHECK_STATUS(mproc_pool_join(pool, -1), MPROC_ERROR_TIMED_OUT);
        }
        OpenAllGates();
        CHECK_STATUS(mproc_pool_join(pool, TestLong()), gone);
        if (!gone) CHECK_OK(mproc_pool_join(pool, 0));
        joined = true;
        break;
      case 'd':
        CHECK_STATUS(mproc_pool_destroy(pool), gone);
        gone = MPROC_ERROR_STALE_HANDLE;
        break;
      case 'f':
        CHECK_OK(mproc_runtime_finish(TestLong()));
        finished = true;
        break;
    }
    if (closed || terminated || gone || finished) {
      int32_t status = mproc_pool_submit(pool, fn_noop, NULL, 0, 0, &future);
      int32_t wanted = gone ? gone : state == kBroken ? MPROC_ERROR_BROKEN : MPROC_ERROR_NOT_RUNNING;
      if (status != wanted && !(state == kBroken && status == MPROC_ERROR_NOT_RUNNING)) {
        TestFail(__FILE__, __LINE__, "state %d, calls %s, after '%s': submit gave %s", state, calls, call,
                 mproc_status_name(status));
      }
    }
  }
  if (!gone) CHECK_OK(mproc_pool_destroy(pool));
  for (int i = 0; i < subject.count; i++) {
    CHECK_OK(mproc_future_ready(subject.futures[i]));
    int32_t outcome = Outcome(subject.futures[i]);
    CHECK(outcome == MPROC_OUTCOME_VALUE || outcome == MPROC_OUTCOME_CANCELLED);
    if (joined && !terminated && !finished && strchr(calls, 'j') < calls + strcspn(calls, "d")) {
      CHECK_EQ(outcome, MPROC_OUTCOME_VALUE);
    }
    Release(subject.futures[i]);
  }
}

static const char* const g_sequences[] = {
    "",    "c",   "t",  "j",  "d",  "f",  "cc",  "tt",  "jj",   "dd",   "ct",    "tc",  "cj",  "tj",
    "cd",  "td",  "cf", "tf", "fd", "ff", "fc",  "ft",  "fj",   "cjj",  "tjj",   "ctj", "tcj", "cjt",
    "cjc", "cjd", "dc", "dt", "dj", "df", "cjf", "tjf", "cjdd", "ctjd", "tctjd", "ffdd"};
static void EverySequence(int state) {
  for (size_t i = 0; i < sizeof g_sequences / sizeof g_sequences[0]; i++) {
    int before = atomic_load(&g_test_failures);
    RunSequence(state, g_sequences[i]);
    if (atomic_load(&g_test_failures) != before) printf("  in state %d, calls '%s'\n", state, g_sequences[i]);
  }
}
static void EverySequenceFresh(void) { EverySequence(kFresh); }
static void EverySequenceIdle(void) { EverySequence(kIdle); }
static void EverySequenceRunning(void) { EverySequence(kRunning); }
static void EverySequenceQueued(void) { EverySequence(kQueued); }
static void EverySequenceBroken(void) { EverySequence(kBroken); }

// ---- close, terminate, join

static void JoinKeepsItsLimit(void) {
  mproc_pool_t* pool = ReadyPool(1);
  mproc_future_t* future = SubmitWork(pool, fn_gate, 0, 0);
  CHECK_STATUS(mproc_pool_join(pool, MPROC_FOREVER), MPROC_ERROR_STILL_RUNNING);
  CHECK_OK(mproc_pool_close(pool));
  const int64_t limits[] = {0, -1, INT64_MIN};
  for (int i = 0; i < 3; i++) CHECK_STATUS(mproc_pool_join(pool, limits[i]), MPROC_ERROR_TIMED_OUT);
  int64_t begin = TestNow();
  CHECK_STATUS(mproc_pool_join(pool, 60 * MPROC_MILLISECOND), MPROC_ERROR_TIMED_OUT);
  CHECK(TestNow() - begin >= 60 * MPROC_MILLISECOND);
  OpenGate(0);
  CHECK_OK(mproc_pool_join(pool, MPROC_FOREVER));
  CHECK_OK(mproc_future_ready(future));
  CHECK(TestMarked(NULL, 0) <= 1 + TestForked());  // no worker, perhaps the launcher and its template
  Release(future);
  CHECK_OK(mproc_pool_destroy(pool));
}

static void* Join(void* pool) {
  CHECK_OK(mproc_pool_join(pool, TestLong()));
  return NULL;
}
static void ManyThreadsJoin(void) {
  for (int way = 0; way < 2; way++) {
    pthread_t threads[5];
    mproc_pool_t* pool = ReadyPool(2);
    mproc_future_t* future = SubmitWork(pool, fn_gate, 0, way);
    CHECK_OK(mproc_pool_close(pool));
    for (int i = 0; i < 5; i++) NEED(pthread_create(&threads[i], NULL, Join, pool) == 0);
    TestRest(20 * MPROC_MILLISECOND);
    if (way) CHECK_OK(mproc_pool_terminate(pool));
    OpenGate(way);
    for (int i = 0; i < 5; i++) pthread_join(threads[i], NULL);
    Release(future);
    CHECK_OK(mproc_pool_destroy(pool));
  }
}

static void WorkersAreReplacedAfterClose(void) {
  mproc_future_t* futures[30];
  mproc_pool_t* pool = ReadyPool(1);
  mproc_future_t* running = SubmitWork(pool, fn_gate, 0, 1000);
  for (int i = 0; i < 30; i++)
    futures[i] = i % 10 ? SubmitWork(pool, fn_mark, 0, i) : SubmitNumber(pool, fn_exit, 2);
  NEED_SOON(Begun(1000) == 1);
  CHECK_OK(mproc_pool_close(pool));
  CHECK_EQ(TestKill(WorkerPid(pool, 0), SIGKILL), 0);
  TakeEnd(running, MPROC_OUTCOME_WORKER_LOST, MPROC_CAUSE_SIGNAL);
  CHECK_OK(mproc_pool_join(pool, TestLong()));
  for (int i = 0; i < 30; i++) {
    TakeEnd(futures[i], i % 10 ? MPROC_OUTCOME_VALUE : MPROC_OUTCOME_WORKER_LOST,
            i % 10 ? MPROC_CAUSE_NONE : MPROC_CAUSE_EXIT);
    CHECK_EQ(Begun(i), i % 10 != 0);
  }
  CHECK_OK(mproc_pool_destroy(pool));
}

static void TerminateWithTenThousandQueued(void) {
  enum { kTasks = 10000 };
  static mproc_future_t* futures[kTasks];
  mproc_pool_t* pool = ReadyPool(2);
  for (int i = 0; i < kTasks; i++) futures[i] = SubmitWork(pool, fn_mark, 100000, i);
  int64_t begin = TestNow();
  CHECK_OK(mproc_pool_terminate(pool));
  CHECK(TestNow() - begin < 200 * MPROC_MILLISECOND * TestSlowness());
  CHECK_OK(mproc_pool_terminate(pool));
  CHECK_OK(mproc_pool_join(pool, TestLong()));
  CHECK(TestNow() - begin < MPROC_SECOND * TestSlowness());
  for (int i = 0; i < kTasks; i++) {
    CHECK_STATUS(mproc_future_error(futures[i]), MPROC_ERROR_CANCELLED);
    CHECK_EQ(Info(futures[i], MPROC_FUTURE_INFO_CAUSE), MPROC_CAUSE_TERMINATE);
    Release(futures[i]);
  }
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_CANCELLED), kTasks);
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_QUEUED), 0);
  CHECK_OK(mproc_pool_destroy(pool));
}

static mproc_pool_t* GracePool(int64_t grace) {
  mproc_pool_options_t* options = Options(1);
  NEED_OK(mproc_pool_options_set_terminate_grace(options, grace));
  return ReadyWith(options);
}
// Terminates while the task runs; returns how long the end of the worker took, in ms.
static int64_t TerminateRunning(mproc_pool_t* pool, uint32_t function, int64_t cell) {
  mproc_future_t* future = SubmitWork(pool, function, 0, cell);
  NEED_SOON(Begun(cell) == 1);
  int64_t begin = TestNow();
  CHECK_OK(mproc_pool_terminate(pool));
  WaitEnd(future);
  CHECK_OK(mproc_pool_join(pool, TestLong()));
  int64_t took = (TestNow() - begin) / MPROC_MILLISECOND;
  TakeEnd(future, MPROC_OUTCOME_CANCELLED, MPROC_CAUSE_TERMINATE);
  CHECK_OK(mproc_pool_destroy(pool));
  return took;
}
static void TerminateGivesGrace(void) {
  int64_t slow = TestSlowness();
  CHECK(TerminateRunning(GracePool(60 * MPROC_SECOND), fn_gate, 1) < 2000 * slow);  // SIGTERM was enough
  CHECK(TerminateRunning(GracePool(60 * MPROC_SECOND), fn_spin, 2) <
        2000 * slow);  // it saw that it is cancelled
  CHECK_EQ(Ended(2), 1);
  int64_t took =
      TerminateRunning(GracePool(300 * MPROC_MILLISECOND), fn_stubborn, 3);  // killed when it was over
  CHECK(took >= 290 && took < 2000 * slow);
  CHECK(TerminateRunning(GracePool(0), fn_stubborn, 4) < 280 * slow);  // killed at once
  CHECK(TerminateRunning(GracePool(-1), fn_stubborn, 5) < 280 * slow);
}

// A task that is done within the grace time ends as cancelled all the same, and once.
static void EndInTheGraceTime(void) {
  mproc_pool_t* pool = GracePool(60 * MPROC_SECOND);
  mproc_future_t* future = SubmitWork(pool, fn_interruptible, 150, 1);
  NEED_SOON(Begun(1) == 1);
  CHECK_OK(mproc_pool_terminate(pool));
  CHECK_OK(mproc_pool_join(pool, TestLong()));
  CHECK_EQ(Ended(1), 1);
  TakeEnd(future, MPROC_OUTCOME_CANCELLED, MPROC_CAUSE_TERMINATE);
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_VALUES) + Statistic(pool, MPROC_POOL_STATISTIC_CANCELLED), 1);
  CHECK_OK(mproc_pool_destroy(pool));
}

// ---- destroy while others use the pool

typedef struct {
  mproc_pool_t* pool;
  int way;
  atomic_int started, refused, taken;
  atomic_int* stop;
} User;
static void* UseUntilGone(void* argument) {
  User* user = argument;
  atomic_store(&user->started, 1);
  for (;;) {
    mproc_future_t* future = NULL;
    Work work = {0, 1};
    int64_t number = 3;
    int32_t status = MPROC_OK;
    switch (user->way) {
      case 0:
        status = mproc_pool_submit(user->pool, fn_mark, &work, sizeof work, MPROC_FOREVER, &future);
        if (status == MPROC_OK) NEED_OK(mproc_future_wait(future, TestLong()));
        break;
      case 1:
        status = mproc_pool_apply(user->pool, fn_square, &number, sizeof number, TestLong(), &future);
        break;
      case 2:
        status = mproc_pool_map(user->pool, fn_noop, NULL, NULL, 50, 3, 0, TestLong(), &future);
        break;
      case 3: {
        uint64_t value;
        status = mproc_pool_statistic(user->pool, MPROC_POOL_STATISTIC_RUNNING, &value);
        break;
      }
      case 4:
        status = mproc_pool_wait_ready(user->pool, TestLong());
        break;
      default: {
        int64_t value;
        status = mproc_pool_worker_info(user->pool, 0, MPROC_WORKER_INFO_STATE, &value);
      }
    }
    if (future) Release(future);
    if (status == MPROC_OK) {
      user->taken++;
      continue;
    }
    user->refused++;
    if (status == MPROC_ERROR_STALE_HANDLE) return NULL;
    CHECK_STATUS(status, MPROC_ERROR_NOT_RUNNING);
  }
}
static void DestroyUnderUse(void) {
  for (int round = 0; round < 6; round++) {
    User users[6];
    pthread_t threads[6];
    mproc_pool_t* pool = ReadyPool(2);
    for (int i = 0; i < 6; i++) {
      users[i] = (User){.pool = pool, .way = i};
      NEED(pthread_create(&threads[i], NULL, UseUntilGone, &users[i]) == 0);
    }
    for (int i = 0; i < 6; i++) NEED_SOON(users[i].taken > 3);
    if (round % 3 == 1) CHECK_OK(mproc_pool_terminate(pool));
    if (round % 3 == 2) CHECK_OK(mproc_runtime_finish(TestLong()));
    CHECK_OK(mproc_pool_destroy(pool));
    for (int i = 0; i < 6; i++) pthread_join(threads[i], NULL);
  }
}

// ---- the runtime

static void FinishInAnyState(void) {
  TestDescriptors before = TestOpenDescriptors();
  int64_t launcher = 0, next = 0;
  CHECK_OK(mproc_runtime_finish(0));  // there is none
  CHECK_OK(mproc_runtime_finish(MPROC_FOREVER));
  mproc_pool_t* pool = ReadyPool(2);
  mproc_future_t *future, *futures[20];
  for (int i = 0; i < 20; i++) futures[i] = SubmitWork(pool, fn_gate, 0, i);
  NEED_SOON(CountBegun(0, 20) == 2);
  CHECK_OK(mproc_runtime_launcher_pid(&launcher));
  CHECK_OK(mproc_runtime_finish(TestLong()));
  if (TestHasLauncher()) CHECK(TestGone((pid_t)launcher));
  CHECK_OK(mproc_runtime_launcher_pid(&next));
  CHECK_EQ(next, 0);
  for (int i = 0; i < 20; i++) {
    CHECK_OK(mproc_future_ready(futures[i]));
    CHECK_EQ(Info(futures[i], MPROC_FUTURE_INFO_CAUSE), MPROC_CAUSE_DESTROY);
  }
  CHECK_SOON(TestMarked(NULL, 0) == 0);
  CHECK_SOON(TestNewDescriptors(&before, false) <= 2);  // two for the pool that was not destroyed
  CHECK_STATUS(mproc_pool_submit(pool, fn_noop, NULL, 0, 0, &future), MPROC_ERROR_NOT_RUNNING);
  CHECK_OK(mproc_pool_join(pool, 0));
  mproc_pool_t* second = ReadyPool(1);  // the runtime starts anew
  CHECK_EQ(TakeNumber(SubmitNumber(second, fn_square, 5)), 25);
  CHECK_OK(mproc_runtime_launcher_pid(&next));
  CHECK(TestHasLauncher() ? next > 1 && next != launcher : next == 0);
  CHECK_OK(mproc_pool_destroy(pool));  // the old one
  for (int i = 0; i < 20; i++) TakeEnd(futures[i], MPROC_OUTCOME_CANCELLED, MPROC_CAUSE_DESTROY);
  CHECK_EQ(TakeNumber(SubmitNumber(second, fn_square, 6)), 36);
  CHECK_OK(mproc_runtime_finish(TestLong()));
  CHECK_SOON(TestNewDescriptors(&before, false) <= 2);
  CHECK_OK(mproc_runtime_finish(0));
  CHECK_OK(mproc_pool_destroy(second));
}

static void FinishMayTakeSeveralCalls(void) {
  for (int round = 0; round < 5; round++) {
    mproc_pool_t* pool = CreateWith(Options(2));
    mproc_future_t* future = SubmitWork(pool, fn_stubborn, 0, round);
    if (round % 2) NEED_SOON(Begun(round) == 1);
    int32_t status = mproc_runtime_finish(round % 3 ? 0 : -5);
    CHECK(status == MPROC_OK || status == MPROC_ERROR_TIMED_OUT);
    if (round == 4) {  // while the old runtime ends, a new one may begin
      mproc_pool_t* other = ReadyPool(1);
      CHECK_EQ(TakeNumber(SubmitNumber(other, fn_square, 5)), 25);
      CHECK_OK(mproc_pool_destroy(other));
    }
    CHECK_SOON(mproc_runtime_finish(MPROC_MILLISECOND) == MPROC_OK);
    TakeEnd(future, MPROC_OUTCOME_CANCELLED, MPROC_CAUSE_DESTROY);
    CHECK_OK(mproc_pool_destroy(pool));
  }
}

static void* Finish(void* unused) {
  (void)unused;
  CHECK_OK(mproc_runtime_finish(TestLong()));
  return NULL;
}
static void ManyThreadsFinish(void) {
  for (int round = 0; round < 5; round++) {
    pthread_t threads[4];
    mproc_pool_t* pool = ReadyPool(2);
    mproc_future_t* future = SubmitWork(pool, fn_gate, 0, 0);
    for (int i = 0; i < 4; i++) NEED(pthread_create(&threads[i], NULL, Finish, NULL) == 0);
    for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    CHECK_OK(mproc_future_ready(future));
    Release(future);
    CHECK_OK(mproc_pool_destroy(pool));
  }
}

static void StartsAndEndsLeaveNothing(void) {
  int64_t memory = 0;
  TestDescriptors before = TestOpenDescriptors();
  for (int round = 0; round < 60; round++) {
    mproc_pool_t* pool = CreateWith(Options(2));
    if (round % 3 == 0) NEED_OK(mproc_pool_wait_ready(pool, TestLong()));
    mproc_future_t* future = SubmitNumber(pool, fn_square, round);
    if (round % 4) CHECK_EQ(TakeNumber(future), round * round);
    if (round % 4 == 0) Release(future);
    CHECK_OK(mproc_pool_destroy(pool));
    if (round % 2) CHECK_OK(mproc_runtime_finish(TestLong()));
    if (round == 19) memory = TestStatusBytes(getpid(), "VmRSS:");
  }
  CHECK_OK(mproc_runtime_finish(TestLong()));
  CHECK_SOON(TestNewDescriptors(&before, false) == 0);
  if (!TestSanitized()) CHECK(TestStatusBytes(getpid(), "VmRSS:") - memory < (4 << 20));
}

// ---- programs that end

// Runs `body` in a child as a program of its own; returns its wait status.
static int RunProgram(void (*body)(void), int64_t* took) {
  OpenBoard();
  fflush(stdout);
  int64_t begin = TestNow();
  pid_t pid = fork();
  if (pid == 0) {
    alarm((unsigned)(TestLong() / MPROC_SECOND));
    TestForgetLeaks();
    body();
    exit(atomic_load(&g_test_failures) ? 1 : 0);  // as a return from main
  }
  int status = -1;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  *took = TestNow() - begin;
  return status;
}

static void LeaveIdle(void) { ReadyPool(4); }
static void LeaveFresh(void) { CreateWith(Options(4)); }
static void LeaveBusy(void) {
  mproc_pool_t* pool = ReadyPool(2);
  for (int i = 0; i < 1000; i++) SubmitWork(pool, fn_stubborn, 0, 1);
  NEED_SOON(Begun(1) >= 2);
}
static void LeaveClosed(void) {
  mproc_pool_t* pool = ReadyPool(2);
  for (int i = 0; i < 10; i++) SubmitWork(pool, fn_gate, 0, 2);
  CHECK_OK(mproc_pool_close(pool));
}
static void LeaveTerminated(void) {
  LeaveBusy();
  mproc_pool_t* pool = ReadyPool(1);
  SubmitWork(pool, fn_stubborn, 0, 3);
  NEED_SOON(Begun(3) >= 1);
  CHECK_OK(mproc_pool_terminate(pool));
}
static atomic_int g_in_callback;
static void OnSleep(mproc_future_t* future, void* user_data) {
  (void)future;
  (void)user_data;
  atomic_store(&g_in_callback, 1);
  for (;;) pause();
}
static void LeaveInCallback(void) {
  mproc_pool_t* pool = ReadyPool(1);
  NEED_OK(mproc_pool_submit_callback(pool, fn_noop, NULL, 0, 0, OnSleep, OnSleep, NULL, NULL));
  NEED_SOON(atomic_load(&g_in_callback));
}
static void* WaitForEver(void* future) {
  mproc_future_wait(future, MPROC_FOREVER);
  return NULL;
}
static void LeaveWaiting(void) {
  pthread_t thread;
  mproc_pool_t* pool = ReadyPool(1);
  for (int i = 0; i < 3; i++)
    NEED(pthread_create(&thread, NULL, WaitForEver, SubmitWork(pool, fn_gate, 0, 4)) == 0);
  TestRest(10 * MPROC_MILLISECOND);
}
static void LeaveQuickly(void) {
  LeaveBusy();
  _exit(0);
}
static void* ExitHere(void* unused) {
  (void)unused;
  exit(0);
}
static void LeaveFromAnotherThread(void) {
  pthread_t thread;
  LeaveBusy();
  NEED(pthread_create(&thread, NULL, ExitHere, NULL) == 0);
  for (;;) pause();
}
static mproc_pool_t* g_left;
static void DestroyAtExit(void) { CHECK_OK(mproc_pool_destroy(g_left)); }
static void LeaveToExitHandler(void) {
  g_left = ReadyPool(2);
  SubmitWork(g_left, fn_gate, 0, 5);
  NEED(atexit(DestroyAtExit) == 0);
}

static void ForgottenPoolsDoNotHoldUpExit(void) {
  void (*const bodies[])(void) = {LeaveIdle,         LeaveFresh,      LeaveBusy,
                                  LeaveClosed,       LeaveTerminated, LeaveInCallback,
                                  LeaveWaiting,      LeaveQuickly,    LeaveFromAnotherThread,
                                  LeaveToExitHandler};
  for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
    int64_t took = 0;
    atomic_store(&OpenBoard()->all_open, 0);
    memset(g_board->begun, 0, 64 * sizeof g_board->begun[0]);
    int status = RunProgram(bodies[i], &took);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0 || took > 2 * MPROC_SECOND * TestSlowness()) {
      TestFail(__FILE__, __LINE__, "program %zu: status %x after %lld ms", i, status,
               (long long)took / 1000000);
    }
    CHECK_SOON(TestMarked(NULL, 0) == 0);
  }
}

static void KillSelf(void) {
  LeaveBusy();
  kill(getpid(), SIGKILL);
}
static void KilledHostLeavesNothing(void) {
  int64_t took = 0;
  int status = RunProgram(KillSelf, &took);
  CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
  CHECK_SOON(TestMarked(NULL, 0) == 0);
}

// A program without standard streams keeps none of the library's descriptors in their places: while a worker
// is started they pass there.
static void WithoutStreams(void) {
  for (int fd = 0; fd < 3; fd++) close(fd);
  mproc_pool_t* pool = ReadyPool(2);
  int bad = 0;
  for (int i = 0; i < 20; i++) {
    bad += TakeNumber(SubmitNumber(pool, fn_square, i)) != i * i;
    for (int fd = 0; fd < 3; fd++) bad += !SOON(fcntl(fd, F_GETFD) == -1);
  }
  TakeEnd(SubmitNumber(pool, fn_exit, 0), MPROC_OUTCOME_WORKER_LOST, MPROC_CAUSE_EXIT);
  bad += TakeNumber(SubmitNumber(pool, fn_square, 11)) != 121;
  for (int fd = 0; fd < 3; fd++) bad += !SOON(fcntl(fd, F_GETFD) == -1);
  bad += mproc_pool_destroy(pool) != MPROC_OK || mproc_runtime_finish(TestLong()) != MPROC_OK;
  for (int fd = 0; fd < 3; fd++) bad += !SOON(fcntl(fd, F_GETFD) == -1);
  _exit(bad ? 40 + bad : 0);
}
static void HostWithoutStandardStreams(void) {
  int64_t took = 0;
  int status = RunProgram(WithoutStreams, &took);
  CHECK(WIFEXITED(status));
  CHECK_EQ(WEXITSTATUS(status), 0);
}

// ---- a host that forks

static mproc_future_t* g_parents_future;
static void UseParentsHandles(void) {
  uint64_t value;
  int32_t count;
  size_t index;
  mproc_future_t* future = NULL;
  CHECK_STATUS(mproc_pool_submit(g_left, fn_noop, NULL, 0, 0, &future), MPROC_ERROR_FORKED);
  CHECK_STATUS(mproc_pool_apply(g_left, fn_noop, NULL, 0, MPROC_FOREVER, &future), MPROC_ERROR_FORKED);
  CHECK_STATUS(mproc_pool_close(g_left), MPROC_ERROR_FORKED);
  CHECK_STATUS(mproc_pool_terminate(g_left), MPROC_ERROR_FORKED);
  CHECK_STATUS(mproc_pool_join(g_left, MPROC_FOREVER), MPROC_ERROR_FORKED);
  CHECK_STATUS(mproc_pool_wait_ready(g_left, MPROC_FOREVER), MPROC_ERROR_FORKED);
  CHECK_STATUS(mproc_pool_statistic(g_left, MPROC_POOL_STATISTIC_VALUES, &value), MPROC_ERROR_FORKED);
  CHECK_STATUS(mproc_pool_worker_count(g_left, &count), MPROC_ERROR_FORKED);
  CHECK_STATUS(mproc_pool_destroy(g_left), MPROC_ERROR_FORKED);
  CHECK_STATUS(mproc_future_wait(g_parents_future, MPROC_FOREVER), MPROC_ERROR_FORKED);
  CHECK_STATUS(mproc_future_wait_any(&g_parents_future, 1, MPROC_FOREVER, &index), MPROC_ERROR_FORKED);
  CHECK_STATUS(mproc_future_wait_all(&g_parents_future, 1, MPROC_FOREVER), MPROC_ERROR_FORKED);
  CHECK_STATUS(mproc_future_ready(g_parents_future), MPROC_ERROR_FORKED);
  CHECK_STATUS(mproc_future_cancel(g_parents_future), MPROC_ERROR_FORKED);
  CHECK_STATUS(mproc_runtime_finish(MPROC_FOREVER), MPROC_ERROR_FORKED);
}
static void UsePoolOfItsOwn(void) {
  UseParentsHandles();
  mproc_pool_t* pool = ReadyPool(2);
  for (int i = 0; i < 50; i++) CHECK_EQ(TakeNumber(SubmitNumber(pool, fn_square, i)), i * i);
  CloseJoinDestroy(pool);
  CHECK_OK(mproc_runtime_finish(TestLong()));
  CHECK_STATUS(mproc_pool_close(g_left), MPROC_ERROR_FORKED);
}
static void ForkedChildIsAStranger(void) {
  if (TEST_UNDER_TSAN) TestSkip("the thread sanitizer does not let a forked child make threads");
  int64_t took = 0;
  g_left = ReadyPool(2);
  g_parents_future = SubmitWork(g_left, fn_gate, 0, 1000);
  NEED_SOON(Begun(1000) == 1);
  int status = RunProgram(UseParentsHandles, &took);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  status = RunProgram(UsePoolOfItsOwn, &took);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  // The parent has noticed nothing.
  CHECK_STATUS(mproc_future_ready(g_parents_future), MPROC_ERROR_NOT_READY);
  for (int i = 0; i < 50; i++) CHECK_EQ(TakeNumber(SubmitNumber(g_left, fn_square, i)), i * i);
  OpenGate(1000);
  CHECK_EQ(TakeReport(g_parents_future).value, 1000);
  CHECK_EQ(Statistic(g_left, MPROC_POOL_STATISTIC_DEATHS), 0);
  CloseJoinDestroy(g_left);
}

// ---- running out of descriptors

static void DescriptorLimit(void) {
  struct rlimit old, limit;
  int good = 0, refused = 0, highest = 0, fillers[4096], filled = 0;
  // Every number below the highest that is open is taken first, so that the limit counts what can be opened.
  TestDescriptors before = TestOpenDescriptors();
  for (int fd = 0; fd < 4096; fd++) {
    if (before.bits[fd / 64] & UINT64_C(1) << (fd % 64)) highest = fd + 1;
  }
  for (int fd; filled < 4096 && (fd = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0;) {
    fillers[filled++] = fd;
    if (fd > highest) break;
  }
  highest = fillers[filled - 1] + 1;
  before = TestOpenDescriptors();
  NEED(getrlimit(RLIMIT_NOFILE, &old) == 0);
  for (int extra = 0; extra < 40; extra++) {
    mproc_pool_options_t* options = Options(3);
    mproc_pool_t* pool = NULL;
    limit = (struct rlimit){(rlim_t)(highest + extra), old.rlim_max};
    NEED(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    int32_t status = mproc_pool_create(options, &pool);
    int32_t ready = status == MPROC_OK ? mproc_pool_wait_ready(pool, TestLong()) : status;
    if (ready == MPROC_OK) {
      int64_t number = 7;
      mproc_future_t* future = NULL;
      good++;
      // Large payloads need descriptors, too: each either passes or is told.
      static char large[1 << 20];
      mproc_future_t* more[4] = {NULL};
      for (int i = 0; i < 4; i++)
        CHECK_OK(mproc_pool_submit(pool, fn_echo, large, sizeof large, TestLong(), &more[i]));
      CHECK_OK(mproc_future_wait_all(more, 4, TestLong()));
      for (int i = 0; i < 4; i++) {
        int32_t outcome = Outcome(more[i]);
        CHECK(outcome == MPROC_OUTCOME_VALUE || outcome == MPROC_OUTCOME_ERROR ||
              outcome == MPROC_OUTCOME_NOT_RUN);
        Release(more[i]);
      }
      CHECK_OK(mproc_pool_apply(pool, fn_square, &number, sizeof number, TestLong(), &future));
      if (future) {
        CHECK_EQ(NumberOf(future), 49);
        Release(future);
      }
    } else {
      refused++;
      if (ready != MPROC_ERROR_DESCRIPTOR_LIMIT && ready != MPROC_ERROR_SYSTEM &&
          ready != MPROC_ERROR_BROKEN) {
        TestFail(__FILE__, __LINE__, "with %d descriptors: %s", extra, mproc_status_name(ready));
      }
    }
    if (pool) CHECK_OK(mproc_pool_destroy(pool));
    CHECK_OK(mproc_runtime_finish(TestLong()));
    NEED(setrlimit(RLIMIT_NOFILE, &old) == 0);
    CHECK_OK(mproc_pool_options_destroy(options));
    if (TestNewDescriptors(&before, false) > 0 &&
        !SOON_WITHIN(TestNewDescriptors(&before, false) == 0, MPROC_SECOND)) {
      TestFail(__FILE__, __LINE__, "with %d descriptors: some are left", extra);
      TestNewDescriptors(&before, true);
      break;
    }
  }
  CHECK(good > 0);
  CHECK(refused > 0);
  while (filled > 0) close(fillers[--filled]);
  mproc_pool_t* pool = ReadyPool(2);
  CHECK_EQ(TakeNumber(SubmitNumber(pool, fn_square, 7)), 49);
  CloseJoinDestroy(pool);
}

// ---- payloads of every size

static void CheckRoundTrip(mproc_pool_t* pool, const unsigned char* bytes, size_t size) {
  const void* data = NULL;
  size_t got = 0;
  Sum sum = {0, 0}, wanted = SumOf(bytes, size);
  int64_t number = (int64_t)size;
  mproc_future_t* futures[4] = {Submit(pool, fn_checksum, bytes, size), Submit(pool, fn_echo, bytes, size),
                                Submit(pool, fn_big, &number, sizeof number),
                                Submit(pool, fn_big_in_place, &number, sizeof number)};
  NEED_OK(mproc_future_wait_all(futures, 4, TestLong()));
  ReadValue(futures[0], &sum, sizeof sum);
  CHECK(sum.size == wanted.size && sum.sum == wanted.sum);
  for (int i = 1; i < 4; i++) {
    CHECK_OK(mproc_future_result(futures[i], &data, &got));
    CHECK_EQ(got, size);
    CHECK(got == size && memcmp(data, bytes, size) == 0);
  }
  for (int i = 0; i < 4; i++) Release(futures[i]);
}
static void PayloadsOfEverySize(void) {
  const size_t sizes[] = {0,
                          1,
                          7,
                          8,
                          39,
                          40,
                          41,
                          79,
                          80,
                          81,
                          119,
                          120,
                          121,
                          127,
                          128,
                          129,
                          4095,
                          4096,
                          4097,
                          65535,
                          65536,
                          65537,
                          1 << 20,
                          (1 << 20) + 1,
                          1000,
                          3000,
                          10000,
                          30000,
                          80000,
                          16000,
                          (4 << 20) - 1,
                          4 << 20,
                          (4 << 20) + 1,
                          64 << 20};
  size_t most = (size_t)64 << 20;
  unsigned char* bytes = malloc(most);
  NEED(bytes != NULL);
  for (size_t i = 0; i < most; i++) bytes[i] = PatternAt(i);
  mproc_pool_t* pool = ReadyPool(2);
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
    if (TestSanitized() && sizes[i] > 8 << 20) continue;
    CheckRoundTrip(pool, bytes, sizes[i]);
  }
  for (size_t size = 0; size < 300; size++) CheckRoundTrip(pool, bytes, size);
  // What cannot be carried is told, before it is touched.
  mproc_future_t* future = NULL;
  CHECK_STATUS(mproc_pool_submit(pool, fn_echo, bytes, SIZE_MAX, 0, &future), MPROC_ERROR_TOO_LARGE);
  CHECK_STATUS(mproc_pool_apply(pool, fn_echo, bytes, SIZE_MAX / 2, 0, &future), MPROC_ERROR_TOO_LARGE);
  size_t huge[2] = {SIZE_MAX / 2, SIZE_MAX / 2};
  const void* items[2] = {bytes, bytes};
  CHECK_STATUS(mproc_pool_map(pool, fn_echo, items, huge, 2, 1, 0, 0, &future), MPROC_ERROR_TOO_LARGE);
  TakeEnd(SubmitNumber(pool, fn_big_in_place, -1), MPROC_OUTCOME_ERROR, MPROC_CAUSE_NONE);
  CheckRoundTrip(pool, bytes, 100);
  CHECK_OK(mproc_pool_close(pool));
  CHECK_OK(mproc_pool_join(pool, TestLong()));
  CHECK_OK(mproc_pool_destroy(pool));
  free(bytes);
}

static void ManyLargePayloadsAtOnce(void) {
  enum { kTasks = 200, kSize = 1 << 20 };
  mproc_future_t* futures[kTasks];
  unsigned char* bytes = malloc(kSize);
  NEED(bytes != NULL);
  mproc_pool_t* pool = ReadyPool(2);
  for (int round = 0; round < 2; round++) {
    for (int i = 0; i < kTasks; i++) {
      memset(bytes, i, kSize);
      futures[i] = Submit(pool, fn_echo, bytes, kSize - (size_t)i);
    }
    CHECK_OK(mproc_future_wait_all(futures, kTasks, TestLong()));
    for (int i = 0; i < kTasks; i++) {
      const unsigned char* data = NULL;
      size_t size = 0;
      CHECK_OK(mproc_future_result(futures[i], (const void**)&data, &size));
      if (CHECK_EQ(size, kSize - i)) CHECK(data[0] == i && data[size / 2] == i && data[size - 1] == i);
      Release(futures[i]);
    }
  }
  // 400 MiB have passed: what was large is given back, by workers and, once malloc is asked to, by the host.
  if (!TestSanitized()) {
    CHECK_SOON((malloc_trim(0), TestStatusBytes(getpid(), "VmRSS:") < 80 << 20));
    for (int i = 0; i < 2; i++) CHECK_SOON(TestStatusBytes(WorkerPid(pool, i), "VmRSS:") < 64 << 20);
  }
  CloseJoinDestroy(pool);
  free(bytes);
}

// ---- what workers print

static void WorkersFlushBeforeTheySleep(void) {
  int ends[2], old = dup(1);
  char text[64] = "";
  NEED(pipe(ends) == 0 && old > 2);
  fflush(stdout);
  NEED(dup2(ends[1], 1) == 1);
  close(ends[1]);
  mproc_pool_t* pool = ReadyPool(1);
  mproc_future_t* future = Submit(pool, fn_print, "hello from the worker", 21);
  fcntl(ends[0], F_SETFL, O_NONBLOCK);
  size_t size = 0;
  bool seen = SOON(
      (size += (size_t)(read(ends[0], text + size, sizeof text - 1 - size) > 0 ? strlen(text + size) : 0),
       size >= 21));
  dup2(old, 1);
  close(old);
  CHECK(seen);
  CHECK_HAS(text, "hello from the worker");
  WaitEnd(future);
  Release(future);
  CloseJoinDestroy(pool);
  close(ends[0]);
}

int main(int argc, char** argv) {
  static const TestCase cases[] = {
      {"every sequence of calls, fresh pool", EverySequenceFresh, 0},
      {"every sequence of calls, idle pool", EverySequenceIdle, 0},
      {"every sequence of calls, running tasks", EverySequenceRunning, 0},
      {"every sequence of calls, queued tasks", EverySequenceQueued, 0},
      {"every sequence of calls, broken pool", EverySequenceBroken, 0},
      {"join keeps its limit", JoinKeepsItsLimit, 0},
      {"many threads join", ManyThreadsJoin, 0},
      {"workers are replaced after close", WorkersAreReplacedAfterClose, 0},
      {"terminate with ten thousand queued", TerminateWithTenThousandQueued, 0},
      {"terminate gives grace", TerminateGivesGrace, 0},
      {"end in the grace time", EndInTheGraceTime, 0},
      {"destroy under use", DestroyUnderUse, 0},
      {"finish in any state", FinishInAnyState, 0},
      {"finish may take several calls", FinishMayTakeSeveralCalls, 0},
      {"many threads finish", ManyThreadsFinish, 0},
      {"starts and ends leave nothing", StartsAndEndsLeaveNothing, 0},
      {"forgotten pools do not hold up exit", ForgottenPoolsDoNotHoldUpExit, 0},
      {"killed host leaves nothing", KilledHostLeavesNothing, 0},
      {"host without standard streams", HostWithoutStandardStreams, 0},
      {"forked child is a stranger", ForkedChildIsAStranger, 0},
      {"descriptor limit", DescriptorLimit, 0},
      {"payloads of every size", PayloadsOfEverySize, 0},
      {"many large payloads at once", ManyLargePayloadsAtOnce, 0},
      {"workers flush before they sleep", WorkersFlushBeforeTheySleep, 0},
  };
  return TEST_MAIN(argc, argv, cases);
}
