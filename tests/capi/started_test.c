// SPDX-License-Identifier: MIT
// The callback that tells that a task has begun: once for each that a worker began, before its end, for no
// other.
#include <poll.h>
#include <signal.h>

#include "host.h"

typedef struct {
  _Atomic int begun, ended, wrong;  // wrong: told after the end, or by a future that is another one
  _Atomic int32_t pid;
  _Atomic uint32_t number;
  _Atomic uint64_t at;
} Seen;

static void OnStarted(mproc_future_t* future, int32_t pid, uint32_t number, void* user_data) {
  Seen* seen = user_data;
  int32_t outcome = -1;
  if (atomic_load(&seen->ended) || mproc_future_outcome(future, &outcome)) atomic_fetch_add(&seen->wrong, 1);
  atomic_store(&seen->pid, pid);
  atomic_store(&seen->number, number);
  atomic_store(&seen->at, (uint64_t)TestNow());
  atomic_fetch_add(&seen->begun, 1);
}
static void OnEnd(mproc_future_t* future, void* user_data) {
  (void)future;
  atomic_fetch_add(&((Seen*)user_data)->ended, 1);
}

static mproc_task_options_t* Telling(Seen* seen) {
  mproc_task_options_t* options = NULL;
  NEED_OK(mproc_task_options_create(&options));
  NEED_OK(mproc_task_options_set_started_callback(options, OnStarted, seen));
  NEED_OK(mproc_task_options_set_callbacks(options, OnEnd, OnEnd, seen));
  return options;
}
// Submits with these options, which are destroyed.
static mproc_future_t* SubmitWith(mproc_pool_t* pool, uint32_t function, const void* data, size_t size,
                                  mproc_task_options_t* options) {
  mproc_future_t* future = NULL;
  NEED_OK(mproc_pool_submit_with(pool, function, data, size, options, &future));
  CHECK_OK(mproc_task_options_destroy(options));
  return future;
}
static mproc_future_t* SubmitGate(mproc_pool_t* pool, int64_t cell, Seen* seen) {
  Work work = {0, cell};
  return SubmitWith(pool, fn_gate, &work, sizeof work, Telling(seen));
}
static mproc_future_t* MapWith(mproc_pool_t* pool, uint32_t function, const Work* work, size_t count,
                               int64_t chunk, mproc_task_options_t* options) {
  const void* items[64];
  size_t sizes[64];
  mproc_future_t* map = NULL;
  NEED(count <= 64);
  for (size_t i = 0; i < count; i++) items[i] = &work[i], sizes[i] = sizeof work[i];
  NEED_OK(
      mproc_pool_map_with(pool, function, items, sizes, count, chunk, MPROC_MAP_STOP_CHUNK, options, &map));
  CHECK_OK(mproc_task_options_destroy(options));
  return map;
}
static void CheckTold(const Seen* seen, int begun, int ended) {
  CHECK_EQ(atomic_load(&seen->begun), begun);
  CHECK_EQ(atomic_load(&seen->ended), ended);
  CHECK_EQ(atomic_load(&seen->wrong), 0);
}

// The program need not call the library meanwhile.
static void ToldWhileItRuns(void) {
  static Seen first, second;
  mproc_pool_t* pool = ReadyPool(1);
  mproc_future_t* running = SubmitGate(pool, 10, &first);
  mproc_future_t* waiting = SubmitGate(pool, 11, &second);
  CHECK_SOON(atomic_load(&first.begun));
  CHECK_EQ(atomic_load(&first.pid), WorkerPid(pool, 0));
  CHECK_EQ(atomic_load(&first.number), WorkerInfo(pool, 0, MPROC_WORKER_INFO_NUMBER));
  CheckTold(&first, 1, 0);
  CheckTold(&second, 0, 0);
  OpenGate(10);
  CHECK_SOON(atomic_load(&second.begun));
  CheckTold(&first, 1, 1);
  OpenGate(11);
  WaitEnd(running), WaitEnd(waiting);
  CheckTold(&first, 1, 1);
  CheckTold(&second, 1, 1);
  Release(running), Release(waiting);
  CloseJoinDestroy(pool);
}

// The worker rings: nobody waits for the tick, which comes ten times a second.
static void ToldAtOnce(void) {
  static Seen seen[8];
  mproc_pool_t* pool = ReadyPool(1);
  int64_t least = INT64_MAX;
  for (int i = 0; i < 8; i++) {  // each begins just after a tick, if that was what told of the one before
    int64_t begin = TestNow();
    mproc_future_t* task = SubmitGate(pool, 20 + i, &seen[i]);
    NEED_SOON(atomic_load(&seen[i].begun));
    int64_t took = (int64_t)atomic_load(&seen[i].at) - begin;
    if (took < least) least = took;
    OpenGate(20 + i);
    WaitEnd(task);
    Release(task);
  }
  CHECK(least < 20 * MPROC_MILLISECOND * TestSlowness());
  CloseJoinDestroy(pool);
}

// Also when its worker dies at once.
static void ToldOfWhatDies(void) {
  static Seen seen[6];
  mproc_pool_t* pool = ReadyPool(2);
  for (int i = 0; i < 6; i++) {
    int64_t code = i;
    mproc_future_t* task =
        SubmitWith(pool, i % 2 ? fn_exit : fn_abort, &code, sizeof code, Telling(&seen[i]));
    WaitEnd(task);
    CHECK_EQ(Outcome(task), MPROC_OUTCOME_WORKER_LOST);
    CHECK_EQ(Info(task, MPROC_FUTURE_INFO_WORKER_PID), atomic_load(&seen[i].pid));
    CHECK_EQ(Info(task, MPROC_FUTURE_INFO_WORKER_NUMBER), atomic_load(&seen[i].number));
    Release(task);
    CheckTold(&seen[i], 1, 1);
  }
  CloseJoinDestroy(pool);
}

// Those that no worker began are told of by nobody, whatever ends them.
static void CancelledBeforeAndAfter(void) {
  static Seen running, waiting, map, left, cut;
  mproc_pool_t* pool = ReadyPool(1);
  const Work work[2] = {{0, 31}, {0, 32}};
  mproc_future_t* first = SubmitWith(pool, fn_spin, &(Work){0, 30}, sizeof(Work), Telling(&running));
  mproc_future_t* second = SubmitGate(pool, 33, &waiting);
  mproc_future_t* third = MapWith(pool, fn_gate, work, 2, 1, Telling(&map));
  CHECK_SOON(atomic_load(&running.begun));
  CHECK_OK(mproc_future_cancel(second));
  CHECK_OK(mproc_future_cancel(third));
  CHECK_OK(mproc_future_cancel_running(first, TestLong()));
  TakeEnd(first, MPROC_OUTCOME_CANCELLED, MPROC_CAUSE_CALL);
  TakeEnd(second, MPROC_OUTCOME_CANCELLED, MPROC_CAUSE_CALL);
  TakeEnd(third, MPROC_OUTCOME_CANCELLED, MPROC_CAUSE_CALL);
  CheckTold(&running, 1, 1);
  CheckTold(&waiting, 0, 1);
  CheckTold(&map, 0, 1);

  first = SubmitGate(pool, 34, &cut);
  second = SubmitGate(pool, 35, &left);
  CHECK_SOON(atomic_load(&cut.begun));
  CHECK_OK(mproc_pool_destroy(pool));
  TakeEnd(first, MPROC_OUTCOME_CANCELLED, MPROC_CAUSE_DESTROY);
  TakeEnd(second, MPROC_OUTCOME_CANCELLED, MPROC_CAUSE_DESTROY);
  CheckTold(&cut, 1, 1);
  CheckTold(&left, 0, 1);
}

// A task that is run again: with its first attempt.
static void RetriesAreOneTask(void) {
  static Seen seen;
  mproc_pool_t* pool = ReadyPool(1);
  Flaky flaky = {.way = kFlakyExits, .times = 2, .cell = 40};
  for (size_t i = 0; i < sizeof flaky.filling; i++) flaky.filling[i] = PatternAt(i);
  uint32_t number = (uint32_t)WorkerInfo(pool, 0, MPROC_WORKER_INFO_NUMBER);
  mproc_task_options_t* options = Telling(&seen);
  NEED_OK(mproc_task_options_set_retry(options, 3, MPROC_RETRY_ON_LOST, 0));
  CHECK_EQ(TakeNumber(SubmitWith(pool, fn_flaky, &flaky, sizeof flaky, options)), 3);
  CHECK_EQ(atomic_load(&seen.number), number);
  CheckTold(&seen, 1, 1);
  CloseJoinDestroy(pool);
}

static void MapsWithTheirFirstChunk(void) {
  static Seen seen, nothing;
  mproc_pool_t* pool = ReadyPool(2);
  Work work[12];
  for (int i = 0; i < 12; i++) work[i] = (Work){0, 50 + i};
  mproc_future_t* map = MapWith(pool, fn_gate, work, 12, 2, Telling(&seen));
  CHECK_SOON(atomic_load(&seen.begun));
  CHECK_SOON(CountBegun(50, 12) == 2);
  for (int i = 0; i < 12; i++) OpenGate(50 + i);
  WaitEnd(map);
  CheckTold(&seen, 1, 1);
  Release(map);
  map = MapWith(pool, fn_gate, NULL, 0, 1, Telling(&nothing));
  WaitEnd(map);
  CheckTold(&nothing, 0, 1);
  Release(map);
  CloseJoinDestroy(pool);
}

// In dispatch mode the descriptor tells, and nothing is called elsewhere.
static void ByDispatch(void) {
  static Seen seen;
  mproc_pool_t* pool = CallbackPool(1, MPROC_CALLBACKS_DISPATCH);
  int32_t fd = -1;
  size_t ran = 0;
  NEED_OK(mproc_pool_fd(pool, &fd));
  mproc_future_t* task = SubmitGate(pool, 70, &seen);
  struct pollfd poller = {.fd = fd, .events = POLLIN};
  CHECK_EQ(poll(&poller, 1, (int)(TestLong() / MPROC_MILLISECOND)), 1);
  CheckTold(&seen, 0, 0);
  close(fd);
  CHECK_OK(mproc_pool_dispatch(pool, 0, &ran));
  CHECK_EQ(ran, 1);
  CheckTold(&seen, 1, 0);
  OpenGate(70);
  WaitEnd(task);
  CHECK_OK(mproc_pool_dispatch(pool, 0, &ran));
  CHECK_EQ(ran, 1);
  CheckTold(&seen, 1, 1);
  Release(task);
  CloseJoinDestroy(pool);
}

// Shorter than any look.
static void ManyShortOnes(void) {
  enum { kTasks = 20000 };
  static Seen seen[kTasks];
  mproc_pool_t* pool = ReadyPool(2);
  for (int i = 0; i < kTasks; i++) {
    mproc_task_options_t* options = Telling(&seen[i]);
    NEED_OK(mproc_pool_submit_with(pool, fn_noop, NULL, 0, options, NULL));
    CHECK_OK(mproc_task_options_destroy(options));
  }
  CHECK_OK(mproc_pool_close(pool));
  CHECK_OK(mproc_pool_join(pool, TestLong()));
  int bad = 0;
  for (int i = 0; i < kTasks; i++) bad += seen[i].begun != 1 || seen[i].ended != 1 || seen[i].wrong != 0;
  CHECK_EQ(bad, 0);
  CHECK_OK(mproc_pool_destroy(pool));
}

static void InThreads(void) {
  static Seen seen;
  mproc_pool_options_t* how = Options(1);
  NEED_OK(mproc_pool_options_set_start_method(how, MPROC_START_THREADS));
  mproc_pool_t* pool = ReadyWith(how);
  mproc_future_t* task = SubmitGate(pool, 80, &seen);
  CHECK_SOON(atomic_load(&seen.begun));
  CHECK_EQ(atomic_load(&seen.pid), getpid());
  OpenGate(80);
  WaitEnd(task);
  CheckTold(&seen, 1, 1);
  Release(task);
  CloseJoinDestroy(pool);
}

static void Refused(void) {
  static Seen seen;
  mproc_pool_t* pool = CallbackPool(1, MPROC_CALLBACKS_NEXT);
  mproc_future_t* task = NULL;
  mproc_task_options_t* options = NULL;
  NEED_OK(mproc_task_options_create(&options));
  NEED_OK(mproc_task_options_set_started_callback(options, OnStarted, &seen));
  CHECK_STATUS(mproc_pool_submit_with(pool, fn_noop, NULL, 0, options, &task), MPROC_ERROR_INVALID_ARGUMENT);
  NEED_OK(mproc_task_options_set_started_callback(options, NULL, NULL));
  WaitEnd(task = SubmitWith(pool, fn_noop, NULL, 0, options));
  Release(task);
  CheckTold(&seen, 0, 0);
  CloseJoinDestroy(pool);
}

int main(int argc, char** argv) {
  static const TestCase cases[] = {
      {"told while it runs", ToldWhileItRuns, 0},
      {"told at once", ToldAtOnce, 0},
      {"told of what dies", ToldOfWhatDies, 0},
      {"cancelled before and after", CancelledBeforeAndAfter, 0},
      {"retries are one task", RetriesAreOneTask, 0},
      {"maps with their first chunk", MapsWithTheirFirstChunk, 0},
      {"by dispatch", ByDispatch, 0},
      {"many short ones", ManyShortOnes, 0},
      {"in threads", InThreads, 0},
      {"refused", Refused, 0},
  };
  return TEST_MAIN(argc, argv, cases);
}
