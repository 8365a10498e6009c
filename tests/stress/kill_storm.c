// SPDX-License-Identifier: MIT
// Many tasks while workers are killed and stopped at random: every future ends exactly once, with the right
// result or as lost with a worker that was killed, and nothing is left. $MPROC_STRESS_TASKS says how many.
#include <pthread.h>

#include "host.h"

enum { kWorkers = 4, kMostTasks = 100000, kMostKills = 100000 };

static int TaskCount(void) {
  const char* given = getenv("MPROC_STRESS_TASKS");
  int count = given ? atoi(given) : 20000;
  if (TestUnderValgrind() && count > 2000) count = 2000;
  return count < 1 ? 1 : count > kMostTasks ? kMostTasks : count;
}

// A generator of its own for each thread, so that a run can be repeated.
static uint32_t Random(uint64_t* state) {
  *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  return (uint32_t)(*state >> 33);
}

// ---- the killer

typedef struct {
  mproc_pool_t* pool;
  pthread_t thread;
  int64_t interval;
  bool stops;  // and continues them later
  atomic_bool end;
  atomic_int killed;  // entries of pids
  pid_t pids[kMostKills];
} Killer;
static Killer g_killer;

static bool WasKilled(int64_t pid) {
  for (int i = atomic_load(&g_killer.killed) - 1; i >= 0; i--) {
    if (g_killer.pids[i] == pid) return true;
  }
  return false;
}

static void* KillAtRandom(void* argument) {
  Killer* killer = argument;
  uint64_t random = 12345;
  pid_t stopped = 0;
  while (!atomic_load(&killer->end)) {
    TestRest(killer->interval);
    if (stopped) TestKill(stopped, SIGCONT);
    stopped = 0;
    int32_t place = (int32_t)(Random(&random) % kWorkers);
    int64_t state = WorkerInfo(killer->pool, place, MPROC_WORKER_INFO_STATE);
    pid_t pid = WorkerPid(killer->pool, place);
    // Seldom in the middle of a start: five failed ones in a row would rightly break the pool.
    bool serves = state == MPROC_WORKER_STATE_IDLE || state == MPROC_WORKER_STATE_BUSY;
    if (pid <= 1 || (!serves && Random(&random) % 8 != 0)) continue;
    if (killer->stops && Random(&random) % 3 == 0) {
      if (TestKill(pid, SIGSTOP) == 0) stopped = pid;
      continue;
    }
    int at = atomic_load(&killer->killed);
    if (at == kMostKills) continue;
    killer->pids[at] = pid;  // known before it can show
    atomic_store(&killer->killed, at + 1);
    TestKill(pid, SIGKILL);
  }
  if (stopped) TestKill(stopped, SIGCONT);
  return NULL;
}
static void StartKiller(mproc_pool_t* pool, bool stops) {
  g_killer.pool = pool;
  g_killer.stops = stops;
  g_killer.interval = 20 * MPROC_MILLISECOND * TestSlowness();
  NEED(pthread_create(&g_killer.thread, NULL, KillAtRandom, &g_killer) == 0);
}
static void EndKiller(void) {
  atomic_store(&g_killer.end, true);
  pthread_join(g_killer.thread, NULL);
}

// ---- one stream of tasks

static _Atomic uint8_t g_calls[kMostTasks];  // of each task with callbacks
static atomic_int g_wrong_calls;

static void OnValue(mproc_future_t* future, void* user_data) {
  if (Outcome(future) != MPROC_OUTCOME_VALUE) g_wrong_calls++;
  atomic_fetch_add((_Atomic uint8_t*)user_data, 1);
}
static void OnError(mproc_future_t* future, void* user_data) {
  if (Outcome(future) <= MPROC_OUTCOME_VALUE) g_wrong_calls++;
  atomic_fetch_add((_Atomic uint8_t*)user_data, 1);
}

typedef struct {
  int values, lost, wrong;
} Tally;

// Takes the end of task `i`, which must be the right value or the loss with a killed worker.
static void TakeTask(mproc_future_t* future, int i, Tally* tally) {
  WaitEnd(future);
  if (i % 2 == 0 && atomic_load(&g_calls[i]) != 1) tally->wrong++;  // called back before the wait returned
  const void* data;
  size_t size;
  int32_t status = mproc_future_result(future, &data, &size);
  if (status == MPROC_OK) {
    int64_t value = 0;
    if (size == sizeof value) memcpy(&value, data, sizeof value);
    tally->values++;
    if (value != 2 * (int64_t)i + 1 || Begun(i) != 1 || Ended(i) != 1) tally->wrong++;
  } else {
    int64_t pid = Info(future, MPROC_FUTURE_INFO_WORKER_PID);
    tally->lost++;
    CHECK_STATUS(status, MPROC_ERROR_WORKER_LOST);
    CHECK_EQ(Info(future, MPROC_FUTURE_INFO_CAUSE), MPROC_CAUSE_SIGNAL);
    CHECK_EQ(Info(future, MPROC_FUTURE_INFO_SIGNAL), SIGKILL);
    CHECK(WasKilled(pid));
    CHECK(Begun(i) <= 1);
    if (Begun(i)) CHECK_EQ(atomic_load(&g_board->pid[i]), pid);
  }
  Release(future);
}

static void EveryFutureEndsOnce(void) {
  enum { kWindow = 500 };
  int count = TaskCount();
  static mproc_future_t* window[kWindow];
  Tally tally = {0, 0, 0};
  int64_t memory = 0;
  mproc_pool_t* pool = ReadyPool(kWorkers);
  WarmUp(pool, kWorkers);
  TestDescriptors before = TestOpenDescriptors();
  StartKiller(pool, false);
  for (int i = 0; i < count + kWindow; i++) {
    mproc_future_t** place = &window[i % kWindow];
    if (i >= kWindow) TakeTask(*place, i - kWindow, &tally);
    *place = NULL;
    if (i == count / 4) memory = TestStatusBytes(getpid(), "VmRSS:");
    if (i >= count) continue;
    Work work = {i % 5 == 0 ? 1 : 0,
                 i};  // a millisecond now and then: a kill every 20 ms shall find some work
    if (i % 2) {
      NEED_OK(mproc_pool_submit(pool, fn_mark, &work, sizeof work, MPROC_FOREVER, place));
    } else {
      NEED_OK(mproc_pool_submit_callback(pool, fn_mark, &work, sizeof work, MPROC_FOREVER, OnValue, OnError,
                                         (void*)&g_calls[i], place));
    }
  }
  EndKiller();
  int killed = atomic_load(&g_killer.killed);
  printf("  %d tasks, %d values, %d lost, %d kills\n", count, tally.values, tally.lost, killed);
  CHECK_EQ(tally.wrong, 0);
  CHECK_EQ(g_wrong_calls, 0);
  CHECK_EQ(tally.values + tally.lost, count);
  CHECK(killed > 0);
  CHECK(tally.lost <= killed);  // one running task for each at most
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_SUBMITTED), count + kWorkers);
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_VALUES), tally.values + kWorkers);
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_LOST), tally.lost);
  CHECK_SOON(Statistic(pool, MPROC_POOL_STATISTIC_DEATHS) > 0);
  // Whole again, and no larger than before.
  CHECK_SOON(Statistic(pool, MPROC_POOL_STATISTIC_WORKERS) == kWorkers);
  WarmUp(pool, kWorkers);
  CHECK_SOON(TestOpenDescriptors().count == before.count);
  if (!TestSanitized()) {
    int64_t more = TestStatusBytes(getpid(), "VmRSS:") - memory;
    if (more > 8 << 20)
      TestFail(__FILE__, __LINE__, "%lld KiB more than after a quarter", (long long)more / 1024);
  }
  CloseJoinDestroy(pool);
  for (int i = 0; i < count; i++) {
    if (g_calls[i] != (i % 2 == 0))
      TestFail(__FILE__, __LINE__, "task %d was called back %d times", i, g_calls[i]);
  }
}

// ---- everything at once

typedef struct {
  mproc_pool_t* pool;
  pthread_t thread;
  int number, rounds;
  atomic_int callbacks;       // that must come
  atomic_int values, errors;  // that came
} Actor;

static void OnActorValue(mproc_future_t* future, void* user_data) {
  (void)future;
  atomic_fetch_add(&((Actor*)user_data)->values, 1);
}
static void OnActorError(mproc_future_t* future, void* user_data) {
  (void)future;
  atomic_fetch_add(&((Actor*)user_data)->errors, 1);
}

// The square of `number`, or lost, or cancelled if that may be.
static void CheckSquare(mproc_future_t* future, int64_t number, bool cancelled) {
  WaitEnd(future);
  const void* data;
  size_t size;
  int32_t status = mproc_future_result(future, &data, &size);
  if (status == MPROC_OK) {
    int64_t square = -1;
    if (size == sizeof square) memcpy(&square, data, sizeof square);
    CHECK_EQ(square, number * number);
  } else if (status == MPROC_ERROR_WORKER_LOST) {
    CHECK(WasKilled(Info(future, MPROC_FUTURE_INFO_WORKER_PID)));
  } else {
    CHECK(cancelled);
    CHECK_STATUS(status, MPROC_ERROR_CANCELLED);
  }
  Release(future);
}

static void MapSquares(Actor* actor, uint64_t* random) {
  enum { kItems = 60 };
  int64_t values[kItems], output[kItems];
  const void* items[kItems];
  size_t sizes[kItems];
  mproc_future_t* future = NULL;
  int count = (int)(Random(random) % kItems) + 1;
  int64_t chunk = Random(random) % 4 ? (int64_t)(Random(random) % 10) + 1 : MPROC_CHUNK_AUTO;
  bool array = Random(random) % 2, cancel = Random(random) % 4 == 0;
  for (int i = 0; i < kItems; i++) {
    values[i] = actor->number * 1000 + i;
    output[i] = -1;
    items[i] = &values[i];
    sizes[i] = sizeof values[i];
  }
  if (array) {
    NEED_OK(mproc_pool_map_array_async(actor->pool, fn_square, values, 8, (size_t)count, output, 8, chunk,
                                       OnActorValue, OnActorError, actor, &future));
  } else {
    NEED_OK(mproc_pool_map_async(actor->pool, fn_square, items, sizes, (size_t)count, chunk,
                                 (int32_t)(Random(random) % 2), OnActorValue, OnActorError, actor, &future));
  }
  actor->callbacks++;
  if (cancel) mproc_future_cancel(future);
  WaitEnd(future);
  bool good = mproc_future_error(future) == MPROC_OK;
  for (int i = 0; i < count; i++) {
    int32_t status = MPROC_OK;
    if (!array) {
      const void* data = NULL;
      size_t size = 0;
      status = mproc_future_item(future, (size_t)i, &data, &size);
      if (status == MPROC_OK && size == sizeof output[i]) memcpy(&output[i], data, size);
    }
    if (status == MPROC_OK && (good || output[i] != -1)) CHECK_EQ(output[i], values[i] * values[i]);
    if (status != MPROC_OK) {
      CHECK(!good && (status == MPROC_ERROR_WORKER_LOST || (cancel && status == MPROC_ERROR_CANCELLED)));
    }
  }
  Release(future);
}

static void* Act(void* argument) {
  Actor* actor = argument;
  uint64_t random = (uint64_t)actor->number * 777;
  enum { kBatch = 16 };
  static _Thread_local unsigned char large[200000];
  for (int round = 0; round < actor->rounds; round++) {
    int64_t number = actor->number * 1000 + round % 1000;
    mproc_future_t *future = NULL, *batch[kBatch];
    size_t index;
    switch (Random(&random) % 8) {
      case 0:
        CheckSquare(SubmitNumber(actor->pool, fn_square, number), number, false);
        break;
      case 1:
        future = SubmitNumber(actor->pool, fn_square, number);
        mproc_future_cancel(future);
        CheckSquare(future, number, true);
        break;
      case 2:
        MapSquares(actor, &random);
        break;
      case 3: {
        for (int i = 0; i < kBatch; i++) batch[i] = SubmitNumber(actor->pool, fn_square, number + i);
        for (int left = kBatch; left > 0; left--) {
          NEED_OK(mproc_future_wait_any(batch, kBatch, TestLong(), &index));
          CheckSquare(batch[index], number + (int64_t)index, false);
          batch[index] = NULL;
        }
        break;
      }
      case 4: {
        int64_t limit = (int64_t)(Random(&random) % 2000) * 1000;
        int32_t status = mproc_pool_apply(actor->pool, fn_square, &number, sizeof number, limit, &future);
        CHECK(status == MPROC_OK || status == MPROC_ERROR_TIMED_OUT || status == MPROC_ERROR_QUEUE_FULL);
        if (status == MPROC_OK) CheckSquare(future, number, false);
        break;
      }
      case 5:
        for (int i = 0; i < kBatch; i++) {
          NEED_OK(mproc_pool_submit_callback(actor->pool, fn_square, &number, sizeof number, MPROC_FOREVER,
                                             OnActorValue, OnActorError, actor, i % 2 ? NULL : &batch[i]));
          actor->callbacks++;
        }
        for (int i = 0; i < kBatch; i += 2) {
          if (Random(&random) % 2)
            CheckSquare(batch[i], number, false);
          else
            Release(batch[i]);
        }
        break;
      case 6: {
        size_t size = Random(&random) % sizeof large;
        memset(large, (int)size, size);
        Sum sum, wanted = SumOf(large, size);
        future = Submit(actor->pool, fn_checksum, large, size);
        WaitEnd(future);
        if (Outcome(future) == MPROC_OUTCOME_VALUE) {
          ReadValue(future, &sum, sizeof sum);
          CHECK(sum.size == wanted.size && sum.sum == wanted.sum);
        } else {
          CHECK_EQ(Outcome(future), MPROC_OUTCOME_WORKER_LOST);
        }
        Release(future);
        break;
      }
      default:
        for (int i = 0; i < kBatch; i++)
          batch[i] = SubmitWork(actor->pool, fn_mark, i % 4 == 0, 200000 + actor->number);
        NEED_OK(mproc_future_wait_all(batch, kBatch, TestLong()));
        for (int i = 0; i < kBatch; i++) Release(batch[i]);
    }
  }
  return NULL;
}

static void EverythingAtOnce(void) {
  enum { kActors = 6 };
  static Actor actors[kActors];
  mproc_pool_options_t* options = Options(kWorkers);
  NEED_OK(mproc_pool_options_set_queue_limits(options, 100, 0));
  mproc_pool_t* pool = ReadyWith(options);
  StartKiller(pool, true);
  for (int i = 0; i < kActors; i++) {
    actors[i].pool = pool;
    actors[i].number = i + 1;
    actors[i].rounds = TaskCount() / 15;
    NEED(pthread_create(&actors[i].thread, NULL, Act, &actors[i]) == 0);
  }
  for (int i = 0; i < kActors; i++) pthread_join(actors[i].thread, NULL);
  EndKiller();
  CHECK_OK(mproc_pool_close(pool));
  CHECK_OK(mproc_pool_join(pool, TestLong()));
  uint64_t ended = 0;
  const int32_t ends[] = {MPROC_POOL_STATISTIC_VALUES, MPROC_POOL_STATISTIC_ERRORS,
                          MPROC_POOL_STATISTIC_CANCELLED, MPROC_POOL_STATISTIC_LOST,
                          MPROC_POOL_STATISTIC_NOT_RUN};
  for (int i = 0; i < 5; i++) ended += Statistic(pool, ends[i]);
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_SUBMITTED), ended);
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_ERRORS), 0);
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_NOT_RUN), 0);
  for (int i = 0; i < kActors; i++) CHECK_EQ(actors[i].values + actors[i].errors, actors[i].callbacks);
  printf("  %d tasks and maps, %d lost, %d kills\n", (int)ended,
         (int)Statistic(pool, MPROC_POOL_STATISTIC_LOST), atomic_load(&g_killer.killed));
  CHECK_OK(mproc_pool_destroy(pool));
}

int main(int argc, char** argv) {
  static const TestCase cases[] = {
      {"every future ends once", EveryFutureEndsOnce, 300},
      {"everything at once", EverythingAtOnce, 300},
  };
  return TEST_MAIN(argc, argv, cases);
}
