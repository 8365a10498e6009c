// SPDX-License-Identifier: MIT
// What can be seen of a pool while it works: progress, log records, statistics, and the last steps of
// workers.
#include <pthread.h>
#include <signal.h>

#include "host.h"

// ---- progress

typedef struct {
  _Atomic int calls, ended;
  _Atomic uint64_t done, total;
  _Atomic int backwards, after_the_end;
} Seen;

static void OnProgress(mproc_future_t* future, uint64_t done, uint64_t total, void* user_data) {
  Seen* seen = user_data;
  uint64_t again = 0, of = 0;
  if (done < atomic_exchange(&seen->done, done)) atomic_fetch_add(&seen->backwards, 1);
  atomic_store(&seen->total, total);
  if (atomic_load(&seen->ended)) atomic_fetch_add(&seen->after_the_end, 1);
  CHECK_OK(mproc_future_progress(future, &again, &of));
  CHECK(again >= done && of == total);
  atomic_fetch_add(&seen->calls, 1);
}
static void OnEnd(mproc_future_t* future, void* user_data) {
  (void)future;
  atomic_fetch_add(&((Seen*)user_data)->ended, 1);
}

static int Progress(mproc_future_t* future, uint64_t done, uint64_t total) {
  uint64_t is = 0, of = 0;
  return CHECK_OK(mproc_future_progress(future, &is, &of)) && is == done && of == total;
}

// A map of tasks that wait for the gates from `cell` on.
typedef struct {
  Work work[16];
  const void* items[16];
  size_t sizes[16];
} Gates;
static mproc_future_t* MapGates(mproc_pool_t* pool, Gates* gates, size_t count, int64_t chunk, int64_t cell,
                                mproc_task_options_t* options) {
  mproc_future_t* map = NULL;
  for (size_t i = 0; i < count; i++) {
    gates->work[i] = (Work){0, cell + (int64_t)i};
    gates->items[i] = &gates->work[i];
    gates->sizes[i] = sizeof gates->work[i];
  }
  NEED_OK(mproc_pool_map_with(pool, fn_gate, gates->items, gates->sizes, count, chunk, MPROC_MAP_STOP_CHUNK,
                              options, &map));
  return map;
}

static mproc_task_options_t* WithProgress(Seen* seen) {
  mproc_task_options_t* options = NULL;
  NEED_OK(mproc_task_options_create(&options));
  NEED_OK(mproc_task_options_set_progress_callback(options, OnProgress, seen));
  NEED_OK(mproc_task_options_set_callbacks(options, OnEnd, OnEnd, seen));
  return options;
}

// Items count when they are done, also those inside of a chunk that still runs.
static void ProgressOfAMap(void) {
  mproc_pool_t* pool = ReadyPool(1);
  Gates gates;
  mproc_future_t* map = MapGates(pool, &gates, 8, 4, 10, NULL);
  CHECK_SOON(Begun(10) == 1);
  CHECK(Progress(map, 0, 8));
  OpenGate(10), OpenGate(11);
  CHECK_SOON(Progress(map, 2, 8));
  OpenGate(12), OpenGate(13), OpenGate(14);
  CHECK_SOON(Progress(map, 5, 8));
  OpenAllGates();
  WaitEnd(map);
  CHECK(Progress(map, 8, 8));
  Release(map);
  CloseJoinDestroy(pool);
}

static void ProgressOfAnArray(void) {
  enum { kItems = 1000 };
  mproc_pool_t* pool = ReadyPool(2);
  static int64_t in[kItems], out[kItems];
  for (int i = 0; i < kItems; i++) in[i] = i;
  mproc_future_t* map = NULL;
  NEED_OK(mproc_pool_map_array_async(pool, fn_square, in, 8, kItems, out, 8, 100, NULL, NULL, NULL, &map));
  uint64_t last = 0, done = 0, total = 0;
  while (mproc_future_ready(map) != MPROC_OK) {
    CHECK_OK(mproc_future_progress(map, &done, &total));
    if (!CHECK(done >= last && done <= kItems && total == kItems)) break;
    last = done;
  }
  CHECK(Progress(map, kItems, kItems));
  Release(map);
  CloseJoinDestroy(pool);
}

static void ProgressFromATask(void) {
  mproc_pool_t* pool = ReadyPool(1);
  Told told = {20, 3, 7};
  mproc_future_t* task = Submit(pool, fn_tell, &told, sizeof told);
  CHECK_SOON(Progress(task, 3, 7));
  mproc_future_t* waiting = SubmitNumber(pool, fn_noop, 0);
  CHECK(Progress(waiting, 0, 1));
  OpenGate(20);
  WaitEnd(task);
  CHECK(Progress(task, 1, 1));
  WaitEnd(waiting);
  CHECK(Progress(waiting, 1, 1));  // what the task before it told is not its own
  Release(task);
  Release(waiting);
  CloseJoinDestroy(pool);
}

static void ProgressByCallback(void) {
  static Seen seen;
  mproc_pool_t* pool = ReadyPool(2);
  mproc_task_options_t* options = WithProgress(&seen);
  Gates gates;
  mproc_future_t* map = MapGates(pool, &gates, 12, 3, 30, options);
  OpenGate(30), OpenGate(31);
  CHECK_SOON(atomic_load(&seen.done) == 2);
  OpenGate(32), OpenGate(33);
  CHECK_SOON(atomic_load(&seen.done) == 4);
  CHECK_EQ(atomic_load(&seen.ended), 0);
  int before = atomic_load(&seen.calls);
  OpenAllGates();
  WaitEnd(map);  // ready when its callbacks have returned
  CHECK_EQ(atomic_load(&seen.done), 12);
  CHECK_EQ(atomic_load(&seen.total), 12);
  CHECK(atomic_load(&seen.calls) > before);
  CHECK_EQ(atomic_load(&seen.ended), 1);
  CHECK_EQ(atomic_load(&seen.backwards), 0);
  CHECK_EQ(atomic_load(&seen.after_the_end), 0);
  Release(map);
  CHECK_OK(mproc_task_options_destroy(options));
  CloseJoinDestroy(pool);
}

// A task that tells, one that fails, and a map of nothing; then a pool that goes while one is told of.
static void ProgressOfTasksByCallback(void) {
  static Seen seen, failed, nothing, gone;
  mproc_pool_t* pool = ReadyPool(1);
  mproc_task_options_t* options = WithProgress(&seen);
  Told told = {50, 4, 9};
  mproc_future_t* task = NULL;
  NEED_OK(mproc_pool_submit_with(pool, fn_tell, &told, sizeof told, options, &task));
  CHECK_SOON(atomic_load(&seen.done) == 4 && atomic_load(&seen.total) == 9);
  OpenGate(50);
  WaitEnd(task);
  CHECK_EQ(atomic_load(&seen.done), 1);
  CHECK_EQ(atomic_load(&seen.total), 1);
  CHECK_EQ(atomic_load(&seen.ended), 1);
  Release(task);

  int64_t code = 5;
  NEED_OK(mproc_task_options_set_progress_callback(options, OnProgress, &failed));
  NEED_OK(mproc_pool_submit_with(pool, fn_refuse, &code, sizeof code, options, &task));
  WaitEnd(task);
  CHECK_EQ(atomic_load(&failed.done), 1);
  Release(task);

  NEED_OK(mproc_task_options_set_progress_callback(options, OnProgress, &nothing));
  NEED_OK(mproc_pool_map_with(pool, fn_noop, NULL, NULL, 0, 1, MPROC_MAP_STOP_CHUNK, options, &task));
  WaitEnd(task);
  CHECK_EQ(atomic_load(&nothing.calls), 1);
  CHECK_EQ(atomic_load(&nothing.total), 0);
  Release(task);

  NEED_OK(mproc_task_options_set_progress_callback(options, OnProgress, &gone));
  told.cell = 51;
  NEED_OK(mproc_pool_submit_with(pool, fn_tell, &told, sizeof told, options, &task));
  CHECK_SOON(atomic_load(&gone.done) == 4);
  CHECK_OK(mproc_pool_destroy(pool));
  CHECK_EQ(Outcome(task), MPROC_OUTCOME_CANCELLED);
  CHECK_EQ(atomic_load(&gone.after_the_end), 0);
  Release(task);
  CHECK_OK(mproc_task_options_destroy(options));
}

// In dispatch mode nothing is called elsewhere; the last call comes with the end.
static void ProgressByDispatch(void) {
  static Seen seen;
  mproc_pool_t* pool = CallbackPool(1, MPROC_CALLBACKS_DISPATCH);
  mproc_task_options_t* options = WithProgress(&seen);
  Gates gates;
  mproc_future_t* map = MapGates(pool, &gates, 4, 2, 70, options);
  OpenGate(70);
  size_t ran = 0;
  int calls = 0;
  while (atomic_load(&seen.done) < 1) {
    CHECK_EQ(atomic_load(&seen.calls), calls);
    NEED_OK(mproc_pool_dispatch(pool, 0, &ran));
    calls = atomic_load(&seen.calls);
    TestRest(MPROC_MILLISECOND);
  }
  OpenAllGates();
  WaitEnd(map);
  CHECK_EQ(atomic_load(&seen.ended), 0);
  CHECK_OK(mproc_pool_dispatch(pool, 0, &ran));
  CHECK_EQ(atomic_load(&seen.done), 4);
  CHECK_EQ(atomic_load(&seen.ended), 1);
  Release(map);
  CHECK_OK(mproc_task_options_destroy(options));
  CloseJoinDestroy(pool);
}

static void ProgressRefused(void) {
  static Seen seen;
  mproc_pool_t* pool = CallbackPool(1, MPROC_CALLBACKS_NEXT);
  mproc_task_options_t* options = NULL;
  mproc_future_t* task = NULL;
  uint64_t number = 0;
  NEED_OK(mproc_task_options_create(&options));
  NEED_OK(mproc_task_options_set_progress_callback(options, OnProgress, &seen));
  CHECK_STATUS(mproc_pool_submit_with(pool, fn_noop, NULL, 0, options, &task), MPROC_ERROR_INVALID_ARGUMENT);
  NEED_OK(mproc_task_options_set_progress_callback(options, NULL, NULL));
  NEED_OK(mproc_pool_submit_with(pool, fn_noop, NULL, 0, options, &task));
  CHECK_STATUS(mproc_future_progress(task, NULL, &number), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_future_progress(NULL, &number, &number), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_call_progress(NULL, 1, 2), MPROC_ERROR_INVALID_ARGUMENT);
  WaitEnd(task);
  Release(task);
  CHECK_OK(mproc_task_options_destroy(options));
  CloseJoinDestroy(pool);
}

// ---- log records

enum { kMostTasks = 64 };
static struct {
  _Atomic int records, notices, wrong;
  _Atomic uint64_t dropped;    // as notices tell
  _Atomic int of[kMostTasks];  // records by task id
  _Atomic int block, level;    // holds the callback up; the level seen last
  _Atomic uint32_t worker;
  mproc_pool_t* destroy;
} g_log;

static void OnLog(int32_t level, const char* text, size_t size, uint64_t task, uint32_t worker, int64_t time,
                  void* user_data) {
  unsigned long long number = 0;
  CHECK(user_data == &g_log);
  CHECK(strlen(text) == size && time > 0 && time <= TestNow());
  if (task < kMostTasks && sscanf(text, "line %llu", &number) == 1) {
    if ((int)number != atomic_fetch_add(&g_log.of[task], 1)) atomic_fetch_add(&g_log.wrong, 1);
    atomic_store(&g_log.level, level);
    atomic_store(&g_log.worker, worker);
    atomic_fetch_add(&g_log.records, 1);
  } else if (sscanf(text, "%llu log records were dropped", &number) == 1) {
    CHECK_EQ(level, MPROC_LOG_WARNING);
    atomic_fetch_add(&g_log.dropped, number);
    atomic_fetch_add(&g_log.notices, 1);
  } else {
    atomic_fetch_add(&g_log.wrong, 1);
  }
  while (atomic_load(&g_log.block)) TestRest(MPROC_MILLISECOND);
  if (g_log.destroy) CHECK_OK(mproc_pool_destroy(g_log.destroy));
  g_log.destroy = NULL;
}

static mproc_pool_options_t* WithLog(int32_t workers, int32_t level) {
  mproc_pool_options_t* options = Options(workers);
  NEED_OK(mproc_pool_options_set_log_callback(options, OnLog, &g_log, level));
  return options;
}
static mproc_future_t* SubmitLines(mproc_pool_t* pool, int64_t count, int64_t then, int64_t cell) {
  Lines lines = {count, MPROC_LOG_INFO, then, cell, 0};
  return Submit(pool, fn_log, &lines, sizeof lines);
}
static int RecordsOf(mproc_future_t* future) {
  return atomic_load(&g_log.of[Info(future, MPROC_FUTURE_INFO_TASK_ID)]);
}

// Whoever sees a task ended has its records already, whatever its end, and without a callback of its own.
static void LogComesBeforeTheEnd(void) {
  enum { kTasks = 30 };
  mproc_pool_t* pool = ReadyWith(WithLog(2, MPROC_LOG_INFO));
  mproc_future_t* futures[kTasks];
  for (int i = 0; i < kTasks; i++) {
    futures[i] = SubmitLines(pool, i, i % 7 == 3 ? kThenCrash : i % 5 == 1 ? kThenFail : kThenReturn, 0);
  }
  for (int i = 0; i < kTasks; i++) {
    WaitEnd(futures[i]);
    CHECK_EQ(RecordsOf(futures[i]), i);
    CHECK_EQ(Outcome(futures[i]), i % 7 == 3   ? MPROC_OUTCOME_WORKER_LOST
                                  : i % 5 == 1 ? MPROC_OUTCOME_ERROR
                                               : MPROC_OUTCOME_VALUE);
    Release(futures[i]);
  }
  CHECK_EQ(atomic_load(&g_log.wrong), 0);
  CHECK_EQ(atomic_load(&g_log.level), MPROC_LOG_INFO);
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_LOG_RECORDS), kTasks * (kTasks - 1) / 2);
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_LOG_DROPPED), 0);
  CloseJoinDestroy(pool);
}

// The host hears of a record while its task runs, though nobody waits.
static void LogComesAtOnce(void) {
  mproc_pool_t* pool = ReadyWith(WithLog(1, MPROC_LOG_INFO));
  mproc_future_t* task = SubmitLines(pool, 2, kThenWait, 20);
  CHECK_SOON(atomic_load(&g_log.records) == 2);
  CHECK_EQ(Ended(20), 0);
  CHECK_EQ(atomic_load(&g_log.worker), WorkerInfo(pool, 0, MPROC_WORKER_INFO_NUMBER));
  OpenGate(20);
  CHECK_EQ(TakeNumber(task), 0);
  CloseJoinDestroy(pool);
}

static void LogOfMaps(void) {
  enum { kItems = 24 };
  mproc_pool_t* pool = ReadyWith(WithLog(2, MPROC_LOG_INFO));
  Lines lines[kItems];
  const void* items[kItems];
  size_t sizes[kItems];
  for (int i = 0; i < kItems; i++) {
    lines[i] = (Lines){1, MPROC_LOG_INFO, kThenReturn, 0, 0};
    items[i] = &lines[i];
    sizes[i] = sizeof lines[i];
  }
  mproc_future_t* map = NULL;
  for (int64_t chunk = 1; chunk < 9; chunk *= 4) {
    int before = atomic_load(&g_log.records);  // items of a chunk are one task
    NEED_OK(
        mproc_pool_map(pool, fn_log, items, sizes, kItems, chunk, MPROC_MAP_STOP_CHUNK, TestLong(), &map));
    CHECK_EQ(atomic_load(&g_log.records), before + kItems);
    Release(map);
  }
  mproc_imap_t* lazy = NULL;
  int before = atomic_load(&g_log.records);
  NEED_OK(mproc_pool_imap_items(pool, fn_log, items, sizes, kItems, 1, 0, 0, MPROC_IMAP_UNORDERED, &lazy));
  for (int i = 0; i < kItems; i++) {
    const void* data = NULL;
    size_t size = 0;
    uint64_t index = 0;
    NEED_OK(mproc_imap_next(lazy, TestLong(), &data, &size, &index));
    CHECK(atomic_load(&g_log.records) > before + i);
  }
  CHECK_OK(mproc_imap_destroy(lazy));
  CloseJoinDestroy(pool);
}

// Records that nobody wants do not come; they cost the worker no room.
static void LogLevels(void) {
  mproc_pool_t* pool = ReadyWith(WithLog(1, MPROC_LOG_WARNING));
  Lines lines = {5000, MPROC_LOG_INFO, kThenReturn, 0, 100};
  CHECK_EQ(TakeNumber(Submit(pool, fn_log, &lines, sizeof lines)), 0);
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_LOG_RECORDS), 0);
  lines = (Lines){3, MPROC_LOG_ERROR, kThenReturn, 0, 0};
  CHECK_EQ(TakeNumber(Submit(pool, fn_log, &lines, sizeof lines)), 0);
  CHECK_EQ(atomic_load(&g_log.records), 3);
  CHECK_EQ(atomic_load(&g_log.level), MPROC_LOG_ERROR);
  CloseJoinDestroy(pool);
  pool = ReadyPool(1);
  lines.count = 5000;
  CHECK_EQ(TakeNumber(Submit(pool, fn_log, &lines, sizeof lines)), 0);
  CHECK_EQ(atomic_load(&g_log.records), 3);
  CloseJoinDestroy(pool);
}

// A worker that writes faster than the callback reads: the host keeps so much and no more, and tells it.
static void LogFlood(void) {
  enum { kLines = 6000 };
  mproc_pool_t* pool = ReadyWith(WithLog(1, MPROC_LOG_INFO));
  atomic_store(&g_log.block, 1);
  Lines lines = {kLines, MPROC_LOG_INFO, kThenReturn, 0, 4000};
  mproc_future_t* task = Submit(pool, fn_log, &lines, sizeof lines);
  CHECK_SOON(Statistic(pool, MPROC_POOL_STATISTIC_LOG_DROPPED) > 0);
  atomic_store(&g_log.block, 0);
  int64_t refused = TakeNumber(task);
  mproc_future_t* last = SubmitLines(pool, 1, kThenReturn, 0);  // after what was dropped
  TakeNumber(last);
  uint64_t dropped = Statistic(pool, MPROC_POOL_STATISTIC_LOG_DROPPED);
  CHECK(dropped > 0 && dropped >= (uint64_t)refused);
  CHECK_EQ(atomic_load(&g_log.dropped), dropped);
  CHECK_EQ(atomic_load(&g_log.records) + (int)dropped, kLines + 1);
  CHECK(atomic_load(&g_log.notices) > 0);
  CloseJoinDestroy(pool);
}

static void LogIsCut(void) {
  mproc_pool_t* pool = ReadyWith(WithLog(1, MPROC_LOG_INFO));
  Lines lines = {20, MPROC_LOG_INFO, kThenReturn, 0, 15000};
  CHECK_EQ(TakeNumber(Submit(pool, fn_log, &lines, sizeof lines)), 0);
  CHECK_EQ(atomic_load(&g_log.records), 20);
  CHECK_STATUS(mproc_call_log(NULL, 1, "x", 1), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_EQ(mproc_call_log_level(NULL), INT32_MAX);
  CloseJoinDestroy(pool);
}

static void LogOfInitializers(void) {
  Lines lines = {4, MPROC_LOG_INFO, kThenReturn, 0, 0};
  mproc_pool_options_t* options = WithLog(1, MPROC_LOG_INFO);
  NEED_OK(mproc_pool_options_set_initializer(options, fn_log, &lines, sizeof lines));
  mproc_pool_t* pool = ReadyWith(options);
  CHECK_SOON(atomic_load(&g_log.of[0]) == 4);
  CloseJoinDestroy(pool);
  lines.then = kThenFail;
  atomic_store(&g_log.of[0], 0);
  options = WithLog(1, MPROC_LOG_INFO);
  NEED_OK(mproc_pool_options_set_initializer(options, fn_log, &lines, sizeof lines));
  pool = CreateWith(options);
  CHECK_STATUS(mproc_pool_wait_ready(pool, TestLong()), MPROC_ERROR_BROKEN);
  CHECK_SOON(atomic_load(&g_log.records) >= 8);
  CHECK_OK(mproc_pool_destroy(pool));
}

// In dispatch mode records run in dispatch only, before the callbacks of their task; what is left, in
// destroy.
static void LogByDispatch(void) {
  mproc_pool_options_t* options = WithLog(1, MPROC_LOG_INFO);
  NEED_OK(mproc_pool_options_set_callbacks(options, MPROC_CALLBACKS_DISPATCH));
  mproc_pool_t* pool = ReadyWith(options);
  mproc_future_t* task = SubmitLines(pool, 3, kThenReturn, 0);
  WaitEnd(task);
  CHECK_EQ(atomic_load(&g_log.records), 0);
  size_t ran = 0;
  CHECK_OK(mproc_pool_dispatch(pool, 2, &ran));
  CHECK_EQ(ran, 2);
  CHECK_EQ(atomic_load(&g_log.records), 2);
  CHECK_OK(mproc_pool_dispatch(pool, 0, &ran));
  CHECK_EQ(atomic_load(&g_log.records), 3);
  Release(task);
  TakeNumber(SubmitLines(pool, 5, kThenReturn, 0));
  CHECK_EQ(atomic_load(&g_log.records), 3);
  CHECK_OK(mproc_pool_destroy(pool));
  CHECK_EQ(atomic_load(&g_log.records), 8);
  CHECK_EQ(atomic_load(&g_log.wrong), 0);
}

static void LogRefused(void) {
  mproc_pool_options_t* options = WithLog(1, MPROC_LOG_INFO);
  mproc_pool_t* pool = NULL;
  NEED_OK(mproc_pool_options_set_callbacks(options, MPROC_CALLBACKS_NEXT));
  CHECK_STATUS(mproc_pool_create(options, &pool), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_OK(mproc_pool_options_destroy(options));
}

// A log callback may destroy its pool.
static void DestroyFromALogCallback(void) {
  mproc_pool_t* pool = ReadyWith(WithLog(1, MPROC_LOG_INFO));
  g_log.destroy = pool;
  mproc_future_t* task = SubmitLines(pool, 3, kThenReturn, 0);
  WaitEnd(task);
  CHECK(RecordsOf(task) >= (Outcome(task) == MPROC_OUTCOME_VALUE ? 3 : 1));  // else cut off by the end
  Release(task);
}

// ---- what workers do, and did last

static char g_text[1 << 16];
static const char* Dump(mproc_pool_t* pool) {
  size_t size = 0;
  CHECK_OK(mproc_pool_dump(pool, g_text, sizeof g_text, &size));
  CHECK_EQ(strlen(g_text), size);
  return g_text;
}

static int32_t PlaceOf(mproc_pool_t* pool, pid_t pid) {
  int32_t count = 0, place = 0;
  CHECK_OK(mproc_pool_worker_count(pool, &count));
  while (place + 1 < count && WorkerPid(pool, place) != pid) place++;
  return place;
}

static void* WaitForIt(void* future) {
  WaitEnd(future);
  return NULL;
}

// While one task runs and tells, another worker is stopped, and a thread waits.
static void DumpTellsWhatRuns(void) {
  mproc_pool_options_t* options = Options(2);
  NEED_OK(mproc_pool_options_set_name(options, "stuck"));
  mproc_pool_t* pool = ReadyWith(options);
  Told told = {20, 3, 7};
  mproc_future_t* task = Submit(pool, fn_tell, &told, sizeof told);
  CHECK_SOON(Begun(20));
  mproc_future_t* other = SubmitLines(pool, 2, kThenWait, 21);
  CHECK_SOON(Begun(21));
  pid_t pid = atomic_load(&g_board->pid[21]);
  int32_t place = PlaceOf(pool, pid);
  NEED(TestKill(pid, SIGSTOP) == 0);
  CHECK_SOON(WorkerInfo(pool, place, MPROC_WORKER_INFO_STATE) == MPROC_WORKER_STATE_STOPPED);
  pthread_t waiter;
  NEED(pthread_create(&waiter, NULL, WaitForIt, task) == 0);
  CHECK_SOON(strstr(Dump(pool), "a leader") != NULL);
  CHECK_HAS(g_text, "pool 'stuck': running");
  CHECK_HAS(g_text, "submitted 2, ended 0");
  CHECK_HAS(g_text, "'tell', since ");
  CHECK_HAS(g_text, "progress 3 of 7");
  CHECK_HAS(g_text, "'log', since ");
  CHECK_HAS(g_text, "logged at level 20 \"line 1\"");
  CHECK_HAS(g_text, "process: stopped by a signal");
  char part[64];
  snprintf(part, sizeof part, "task %lld, function %d 'tell'",
           (long long)Info(task, MPROC_FUTURE_INFO_TASK_ID), fn_tell);
  CHECK_HAS(g_text, part);
  snprintf(part, sizeof part, "pid %d)", (int)pid);
  CHECK_HAS(g_text, part);
  size_t whole = 0;
  char small[32];
  CHECK_STATUS(mproc_pool_dump(pool, small, sizeof small, &whole), MPROC_ERROR_BUFFER_TOO_SMALL);
  CHECK_EQ(strlen(small), sizeof small - 1);
  CHECK(whole > 500 && memcmp(small, g_text, sizeof small - 1) == 0);
  CHECK_STATUS(mproc_pool_dump(pool, NULL, 0, &whole), MPROC_ERROR_BUFFER_TOO_SMALL);
  CHECK_STATUS(mproc_pool_dump(pool, NULL, 1, &whole), MPROC_ERROR_INVALID_ARGUMENT);
  TestKill(pid, SIGCONT);
  OpenAllGates();
  pthread_join(waiter, NULL);
  WaitEnd(other);
  CHECK_HAS(Dump(pool), "ran for ");
  Release(task);
  Release(other);
  CHECK_OK(mproc_pool_close(pool));
  CHECK_OK(mproc_pool_join(pool, TestLong()));
  CHECK_HAS(Dump(pool), "pool 'stuck': ended");
  CHECK_OK(mproc_pool_destroy(pool));
}

// What waits behind a task is told, and a pool that cannot start.
static void DumpTellsWhatWaits(void) {
  mproc_pool_t* pool = ReadyPool(1);
  WarmUp(pool, 1);
  mproc_future_t* futures[300];
  futures[0] = SubmitWork(pool, fn_gate, 0, 30);
  for (int i = 1; i < 300; i++) futures[i] = SubmitNumber(pool, fn_noop, i);
  CHECK_SOON(Begun(30));
  Dump(pool);
  CHECK_HAS(g_text, "'gate', since ");
  CHECK_HAS(g_text, "not yet given to a worker ");
  OpenGate(30);
  for (int i = 0; i < 300; i++) {
    WaitEnd(futures[i]);
    Release(futures[i]);
  }
  CHECK_SOON(strstr(Dump(pool), "has done 301") != NULL);  // the engine may be about to count the last
  CloseJoinDestroy(pool);
  mproc_pool_options_t* options = Options(1);
  NEED_OK(mproc_pool_options_set_module(options, "/nowhere/module.so"));
  pool = CreateWith(options);
  CHECK(mproc_pool_wait_ready(pool, TestLong()) != MPROC_OK);
  CHECK_HAS(Dump(pool), "broken: ");
  CHECK_OK(mproc_pool_destroy(pool));
}

// After a crash the trace has what the worker did and said last, with or without a log callback.
static void LastStepsOfACrash(void) {
  mproc_pool_t* pool = ReadyPool(1);
  const char* trace = NULL;
  for (int i = 0; i < 300; i++) TakeNumber(SubmitNumber(pool, fn_square, i));
  mproc_future_t* task = SubmitLines(pool, 3, kThenCrash, 0);
  WaitEnd(task);
  CHECK_EQ(Outcome(task), MPROC_OUTCOME_WORKER_LOST);
  CHECK_OK(mproc_future_error_trace(task, &trace));
  CHECK_HAS(trace, "the last steps of worker 1:");
  CHECK_HAS(trace, "'square': ran for ");
  CHECK_HAS(trace, "'log': begun");
  CHECK_HAS(trace, "logged at level 20 \"line 2\"");
  CHECK(strstr(trace, "\"line 0\"") < strstr(trace, "\"line 2\""));
  Release(task);
  CloseJoinDestroy(pool);
}

// ---- statistics

static uint64_t Of(mproc_pool_t* pool, uint32_t function, int32_t which) {
  uint64_t value = UINT64_MAX;
  CHECK_OK(mproc_pool_function_statistic(pool, function, which, &value));
  return value;
}

// Twenty short tasks and one long one of a function, some of another.
static void TimesOfFunctions(void) {
  mproc_pool_t* pool = ReadyPool(1);
  mproc_future_t* futures[21];
  CHECK_EQ(Of(pool, fn_sleep, MPROC_FUNCTION_STATISTIC_RUNS), 0);
  CHECK_EQ(Of(pool, fn_sleep, MPROC_FUNCTION_STATISTIC_RUN_P50), 0);
  mproc_future_t* gate = SubmitWork(pool, fn_gate, 0, 0);  // none begins before all are submitted
  for (int i = 0; i < 21; i++) futures[i] = SubmitWork(pool, fn_sleep, i == 20 ? 50 : 2, i);
  OpenGate(0);
  TakeReport(gate);
  int64_t least[21];
  for (int i = 0; i < 21; i++) {
    WaitEnd(futures[i]);
    least[i] = ReportOf(futures[i]).end - ReportOf(futures[i]).begin;
    Release(futures[i]);
  }
  TakeNumber(SubmitNumber(pool, fn_square, 3));
  CHECK_EQ(Of(pool, fn_sleep, MPROC_FUNCTION_STATISTIC_RUNS), 21);
  CHECK_EQ(Of(pool, fn_square, MPROC_FUNCTION_STATISTIC_RUNS), 1);
  uint64_t p50 = Of(pool, fn_sleep, MPROC_FUNCTION_STATISTIC_RUN_P50);
  uint64_t p99 = Of(pool, fn_sleep, MPROC_FUNCTION_STATISTIC_RUN_P99);
  uint64_t most = Of(pool, fn_sleep, MPROC_FUNCTION_STATISTIC_RUN_MAX);
  CHECK(p50 >= 2 * MPROC_MILLISECOND);
  CHECK(p50 <= Of(pool, fn_sleep, MPROC_FUNCTION_STATISTIC_RUN_P90));
  CHECK(p99 <= most && (int64_t)most >= least[20] && p99 >= 50 * MPROC_MILLISECOND);
  CHECK(Of(pool, fn_sleep, MPROC_FUNCTION_STATISTIC_RUN_TOTAL) >= 90 * MPROC_MILLISECOND);
  CHECK(Of(pool, fn_square, MPROC_FUNCTION_STATISTIC_RUN_MAX) < most);
  // The last one began when all others had run.
  CHECK_EQ(Of(pool, fn_sleep, MPROC_FUNCTION_STATISTIC_WAITS), 21);
  CHECK(Of(pool, fn_sleep, MPROC_FUNCTION_STATISTIC_WAIT_MAX) >= 40 * MPROC_MILLISECOND);
  CHECK(Of(pool, fn_sleep, MPROC_FUNCTION_STATISTIC_WAIT_P50) >= 18 * MPROC_MILLISECOND);
  CHECK(Of(pool, fn_sleep, MPROC_FUNCTION_STATISTIC_WAIT_P50) <=
        Of(pool, fn_sleep, MPROC_FUNCTION_STATISTIC_WAIT_P99));
  uint64_t value = 0;
  CHECK_STATUS(mproc_pool_function_statistic(pool, 1, 0, &value), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_pool_function_statistic(pool, 1, 13, &value), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_pool_function_statistic(pool, 1, 1, NULL), MPROC_ERROR_INVALID_ARGUMENT);
  CloseJoinDestroy(pool);
}

static void TimesAreSampled(void) {
  enum { kTasks = 4000 };
  static int64_t in[kTasks], out[kTasks];
  mproc_pool_options_t* options = Options(2);
  CHECK_STATUS(mproc_pool_options_set_timing(options, 3), MPROC_ERROR_INVALID_ARGUMENT);
  NEED_OK(mproc_pool_options_set_timing(options, MPROC_TIMING_OFF));
  mproc_pool_t* off = ReadyWith(options);
  mproc_pool_t* sampled = ReadyPool(2);
  mproc_future_t* map = NULL;
  for (int i = 0; i < 2; i++) {
    NEED_OK(mproc_pool_map_array(i ? off : sampled, fn_square, in, 8, kTasks, out, 8, 1, TestLong(), &map));
    Release(map);
  }
  CHECK_EQ(Of(sampled, fn_square, MPROC_FUNCTION_STATISTIC_RUNS), kTasks);
  uint64_t waits = Of(sampled, fn_square, MPROC_FUNCTION_STATISTIC_WAITS);
  CHECK(waits >= 1000 + 3000 / 16 - 10 && waits <= 1024 + 3000 / 16 + 10);
  CHECK_EQ(Of(off, fn_square, MPROC_FUNCTION_STATISTIC_RUNS), kTasks);
  CHECK_EQ(Of(off, fn_square, MPROC_FUNCTION_STATISTIC_WAITS), 0);
  CloseJoinDestroy(sampled);
  CloseJoinDestroy(off);
}

// Tasks come while their worker looks for them; none of them begins before it was submitted, or never.
static void EachTaskBegins(void) {
  const int tasks = TestUnderValgrind() ? 1000 : 40000;
  mproc_pool_options_t* options = Options(1);
  NEED_OK(mproc_pool_options_set_timing(options, MPROC_TIMING_ALL));
  mproc_pool_t* pool = ReadyWith(options);
  int early = 0;
  for (int i = 0; i < tasks; i++) {
    mproc_future_t* task = SubmitNumber(pool, fn_square, i);
    WaitEnd(task);
    int64_t begun = Info(task, MPROC_FUTURE_INFO_BEGUN_AT);
    early += begun < Info(task, MPROC_FUTURE_INFO_SUBMITTED_AT);
    Release(task);
  }
  CHECK_EQ(early, 0);
  CloseJoinDestroy(pool);
}

// Each future tells when its task was submitted and began; a map when its first chunk did.
static void TimesOfFutures(void) {
  mproc_pool_options_t* options = Options(2);
  NEED_OK(mproc_pool_options_set_timing(options, MPROC_TIMING_ALL));
  mproc_pool_t* pool = ReadyWith(options);
  int64_t before = TestNow();
  mproc_future_t* task = SubmitWork(pool, fn_sleep, 5, 1);
  WaitEnd(task);
  Report report = ReportOf(task);
  int64_t submitted = Info(task, MPROC_FUTURE_INFO_SUBMITTED_AT),
          begun = Info(task, MPROC_FUTURE_INFO_BEGUN_AT);
  CHECK(before <= submitted && submitted <= begun && begun <= report.begin);
  CHECK(begun + Info(task, MPROC_FUTURE_INFO_ELAPSED) >= report.end);
  Release(task);
  Gates gates;
  mproc_future_t* map = MapGates(pool, &gates, 4, 2, 80, NULL);
  CHECK_SOON(CountBegun(80, 4) == 2);
  CHECK_EQ(Info(map, MPROC_FUTURE_INFO_BEGUN_AT), 0);
  int64_t running = TestNow();
  OpenAllGates();
  WaitEnd(map);
  begun = Info(map, MPROC_FUTURE_INFO_BEGUN_AT);
  CHECK(begun >= Info(map, MPROC_FUTURE_INFO_SUBMITTED_AT) && begun <= running);
  CHECK(begun + Info(map, MPROC_FUTURE_INFO_ELAPSED) >= running);
  int64_t number = Info(map, MPROC_FUTURE_INFO_WORKER_NUMBER);
  CHECK(number == 1 || number == 2);
  Release(map);
  task = SubmitNumber(pool, fn_exit, 1);
  WaitEnd(task);
  CHECK(Info(task, MPROC_FUTURE_INFO_BEGUN_AT) >= running);
  Release(task);
  CloseJoinDestroy(pool);
}

static void WorkAndBytes(void) {
  mproc_pool_t* pool = ReadyPool(1);
  char bytes[1000] = "";
  for (int i = 0; i < 5; i++) {
    mproc_future_t* task = Submit(pool, fn_echo, bytes, sizeof bytes);
    WaitEnd(task);
    Release(task);
  }
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_BYTES_IN), 5000);
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_BYTES_OUT), 5000);
  int64_t idle = WorkerInfo(pool, 0, MPROC_WORKER_INFO_BUSY_TIME);
  mproc_future_t* task = SubmitWork(pool, fn_gate, 0, 90);
  CHECK_SOON(Begun(90));
  CHECK_SOON(WorkerInfo(pool, 0, MPROC_WORKER_INFO_BUSY_TIME) >= idle + 5 * MPROC_MILLISECOND);  // so far
  OpenGate(90);
  TakeReport(task);
  int64_t busy = WorkerInfo(pool, 0, MPROC_WORKER_INFO_BUSY_TIME);
  CHECK(busy >= idle + 5 * MPROC_MILLISECOND && busy < WorkerInfo(pool, 0, MPROC_WORKER_INFO_READY_TIME));
  TestRest(3 * MPROC_MILLISECOND);
  CHECK_EQ(WorkerInfo(pool, 0, MPROC_WORKER_INFO_BUSY_TIME), busy);
  CloseJoinDestroy(pool);
}

int main(int argc, char** argv) {
  static const TestCase cases[] = {
      {"progress of a map", ProgressOfAMap, 0},
      {"progress of an array", ProgressOfAnArray, 0},
      {"progress from a task", ProgressFromATask, 0},
      {"progress by callback", ProgressByCallback, 0},
      {"progress of tasks by callback", ProgressOfTasksByCallback, 0},
      {"progress by dispatch", ProgressByDispatch, 0},
      {"progress refused", ProgressRefused, 0},
      {"log comes before the end", LogComesBeforeTheEnd, 0},
      {"log comes at once", LogComesAtOnce, 0},
      {"log of maps", LogOfMaps, 0},
      {"log levels", LogLevels, 0},
      {"log flood", LogFlood, 0},
      {"log is cut", LogIsCut, 0},
      {"log of initializers", LogOfInitializers, 0},
      {"log by dispatch", LogByDispatch, 0},
      {"log refused", LogRefused, 0},
      {"times of functions", TimesOfFunctions, 0},
      {"times are sampled", TimesAreSampled, 0},
      {"each task begins", EachTaskBegins, 0},
      {"times of futures", TimesOfFutures, 0},
      {"work and bytes", WorkAndBytes, 0},
      {"dump tells what runs", DumpTellsWhatRuns, 0},
      {"dump tells what waits", DumpTellsWhatWaits, 0},
      {"last steps of a crash", LastStepsOfACrash, 0},
      {"destroy from a log callback", DestroyFromALogCallback, 0},
  };
  return TEST_MAIN(argc, argv, cases);
}
