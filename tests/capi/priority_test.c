// SPDX-License-Identifier: MIT
// Priorities: in which order tasks begin that have to wait.
#include "host.h"

enum { kGate = 1000 };  // cell of the first task that holds a worker

static mproc_task_options_t* Ranked(int32_t priority) {
  mproc_task_options_t* options = NULL;
  NEED_OK(mproc_task_options_create(&options));
  CHECK_OK(mproc_task_options_set_priority(options, priority));
  return options;
}
static mproc_future_t* SubmitRanked(mproc_pool_t* pool, uint32_t function, int64_t value, int32_t priority) {
  Work work = {0, value};
  mproc_future_t* future = NULL;
  mproc_task_options_t* options = Ranked(priority);
  NEED_OK(mproc_pool_submit_with(pool, function, &work, sizeof work, options, &future));
  CHECK_OK(mproc_task_options_destroy(options));
  return future;
}
// Holds one worker until its gate is opened.
static mproc_future_t* Hold(mproc_pool_t* pool, int64_t cell) {
  mproc_future_t* gate = SubmitWork(pool, fn_gate, 0, cell);
  NEED_SOON(Begun(cell) == 1);
  return gate;
}
// The tasks began by priority, those of one priority in the order of their submits. Releases them.
static void CheckOrder(mproc_future_t** futures, const int32_t* priorities, int count) {
  Report reports[64];
  NEED(count <= 64);
  for (int i = 0; i < count; i++) reports[i] = TakeReport(futures[i]);
  for (int i = 0; i < count; i++) {
    for (int k = i + 1; k < count; k++) {
      bool first = priorities[i] >= priorities[k];
      if (first ? reports[i].begin > reports[k].begin : reports[i].begin < reports[k].begin) {
        TestFail(__FILE__, __LINE__, "tasks %d (priority %d) and %d (%d) began the other way round", i,
                 priorities[i], k, priorities[k]);
      }
    }
  }
}

// Also those that a worker has been given and has not begun, also with large payloads.
static void HigherOnesFirst(void) {
  const int32_t priorities[] = {0, 0, 0, 5, -1, 5, INT32_MAX, 0, INT32_MIN, -1, 1, 0, 5, 0, 0, -1};
  enum { kTasks = sizeof priorities / sizeof *priorities };
  mproc_future_t* futures[kTasks];
  mproc_pool_t* pool = ReadyPool(1);
  mproc_future_t* gate = Hold(pool, kGate);
  for (int i = 0; i < kTasks; i++) futures[i] = SubmitRanked(pool, fn_sleep, i, priorities[i]);
  OpenGate(kGate);
  CheckOrder(futures, priorities, kTasks);
  TakeReport(gate);
  CloseJoinDestroy(pool);
}

// Whichever worker is free first takes the highest, whatever had been given to it before.
static void FirstFreeWorkerTakesIt(void) {
  mproc_future_t* waiting[8];
  mproc_pool_t* pool = ReadyPool(2);
  mproc_future_t* one = Hold(pool, kGate);
  mproc_future_t* other = Hold(pool, kGate + 1);
  for (int i = 0; i < 8; i++) waiting[i] = SubmitWork(pool, fn_sleep, 0, i);
  mproc_future_t* high = SubmitRanked(pool, fn_sleep, 99, 1);
  CHECK_EQ(CountBegun(0, 8), 0);
  OpenGate(kGate + 1);
  Report first = TakeReport(high);
  for (int i = 0; i < 8; i++) CHECK(TakeReport(waiting[i]).begin >= first.end);
  CHECK_STATUS(mproc_future_ready(one), MPROC_ERROR_NOT_READY);
  OpenGate(kGate);
  TakeReport(one);
  TakeReport(other);
  CloseJoinDestroy(pool);
}

// A map is overtaken between its chunks, and overtakes.
static void MapsToo(void) {
  enum { kItems = 12 };
  static Work works[kItems];
  static Report low[kItems], high[kItems];
  mproc_future_t *maps[2] = {NULL, NULL}, *single;
  mproc_pool_t* pool = ReadyPool(1);
  mproc_future_t* gate = Hold(pool, kGate);
  for (int i = 0; i < kItems; i++) works[i] = (Work){0, i};
  mproc_task_options_t* rank[2] = {Ranked(-5), Ranked(5)};
  NEED_OK(mproc_pool_map_array_with(pool, fn_sleep, works, sizeof *works, kItems, low, sizeof *low, 2,
                                    rank[0], &maps[0]));
  single = SubmitWork(pool, fn_sleep, 0, 0);
  NEED_OK(mproc_pool_map_array_with(pool, fn_sleep, works, sizeof *works, kItems, high, sizeof *high, 3,
                                    rank[1], &maps[1]));
  OpenGate(kGate);
  Report between = TakeReport(single);
  for (int i = 0; i < 2; i++) {
    TakeEnd(maps[i], MPROC_OUTCOME_VALUE, MPROC_CAUSE_NONE);
    CHECK_OK(mproc_task_options_destroy(rank[i]));
  }
  for (int i = 0; i < kItems; i++) {
    CHECK(high[i].end <= between.begin && between.end <= low[i].begin);
    if (i > 0) CHECK(high[i - 1].end <= high[i].begin && low[i - 1].end <= low[i].begin);
  }
  TakeReport(gate);
  CloseJoinDestroy(pool);
}

// What is cancelled in the queue does not stand in the way of others, nor does a worker that dies.
static void OrderOutlivesCancelAndDeath(void) {
  const int32_t priorities[] = {3, 0, 0, 7, 7, 0, 3};
  enum { kTasks = sizeof priorities / sizeof *priorities };
  mproc_future_t *futures[kTasks], *cancelled[3];
  mproc_pool_t* pool = ReadyPool(1);
  mproc_future_t* gate = Hold(pool, kGate);
  cancelled[0] = SubmitRanked(pool, fn_sleep, 0, 9);
  for (int i = 0; i < kTasks; i++) futures[i] = SubmitRanked(pool, fn_sleep, i, priorities[i]);
  cancelled[1] = SubmitRanked(pool, fn_sleep, 0, 3);
  cancelled[2] = SubmitRanked(pool, fn_sleep, 0, 0);
  for (int i = 0; i < 3; i++) {
    CHECK_OK(mproc_future_cancel(cancelled[i]));
    TakeEnd(cancelled[i], MPROC_OUTCOME_CANCELLED, MPROC_CAUSE_CALL);
  }
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_QUEUED), kTasks);
  CHECK_EQ(TestKill(WorkerPid(pool, 0), SIGKILL), 0);
  TakeEnd(gate, MPROC_OUTCOME_WORKER_LOST, MPROC_CAUSE_SIGNAL);
  CheckOrder(futures, priorities, kTasks);
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_QUEUED), 0);
  CloseJoinDestroy(pool);
}

static void EndsWithThePool(void) {
  mproc_future_t* futures[6];
  for (int close = 0; close < 2; close++) {
    mproc_pool_t* pool = ReadyPool(1);
    mproc_future_t* gate = Hold(pool, kGate + 10 + close);
    for (int i = 0; i < 6; i++) futures[i] = SubmitRanked(pool, fn_sleep, i, i % 3 - 1);
    CHECK_OK(close ? mproc_pool_close(pool) : mproc_pool_terminate(pool));
    OpenGate(kGate + 10 + close);
    CHECK_OK(mproc_pool_join(pool, TestLong()));
    for (int i = 0; i < 6; i++) {
      TakeEnd(futures[i], close ? MPROC_OUTCOME_VALUE : MPROC_OUTCOME_CANCELLED,
              close ? MPROC_CAUSE_NONE : MPROC_CAUSE_TERMINATE);
    }
    Release(gate);
    CHECK_OK(mproc_pool_destroy(pool));
  }
}

// Many of all ranks, with workers that have time for all of them: each is run once.
static void ManyOfAllRanks(void) {
  enum { kTasks = 3000 };
  static mproc_future_t* futures[kTasks];
  mproc_pool_t* pool = ReadyPool(3);
  for (int i = 0; i < kTasks; i++) futures[i] = SubmitRanked(pool, fn_mark, i, i % 5 - 2);
  for (int i = 0; i < kTasks; i++) CHECK_EQ(TakeNumber(futures[i]), 2 * i + 1);
  for (int i = 0; i < kTasks; i++) CHECK_EQ(Begun(i), 1);
  CloseJoinDestroy(pool);
}

int main(int argc, char** argv) {
  static const TestCase cases[] = {
      {"higher ones first", HigherOnesFirst, 0},
      {"first free worker takes it", FirstFreeWorkerTakesIt, 0},
      {"maps, too", MapsToo, 0},
      {"order outlives cancel and death", OrderOutlivesCancelAndDeath, 0},
      {"ends with the pool", EndsWithThePool, 0},
      {"many of all ranks", ManyOfAllRanks, 0},
  };
  return TEST_MAIN(argc, argv, cases);
}
