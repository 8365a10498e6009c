// SPDX-License-Identifier: MIT
// Pools: options and defaults, readiness, submitting with bounds, apply, statistics and worker information.
#include <pthread.h>
#include <sys/resource.h>

#include "host.h"

// ---- options

static void OptionsRefuseNonsense(void) {
  mproc_pool_options_t* o = NULL;
  mproc_table_t* table = NULL;
  char name[80];
  CHECK_STATUS(mproc_pool_options_create(NULL), MPROC_ERROR_INVALID_ARGUMENT);
  NEED_OK(mproc_pool_options_create(&o));
  CHECK_STATUS(mproc_pool_options_set_workers(o, 0), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_pool_options_set_workers(o, -1), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_pool_options_set_workers(o, 4097), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_pool_options_set_workers(o, INT32_MIN), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_OK(mproc_pool_options_set_workers(o, 4096));
  CHECK_OK(mproc_pool_options_set_workers(o, 1));
  memset(name, 'n', sizeof name);
  name[64] = '\0';
  CHECK_STATUS(mproc_pool_options_set_name(o, name), MPROC_ERROR_INVALID_ARGUMENT);
  name[63] = '\0';
  CHECK_OK(mproc_pool_options_set_name(o, name));
  CHECK_STATUS(mproc_pool_options_set_name(o, ""), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_pool_options_set_name(o, NULL), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_OK(mproc_pool_options_set_start_method(o, MPROC_START_SPAWN));
  CHECK(mproc_pool_options_set_start_method(o, -1) < 0);
  CHECK(mproc_pool_options_set_start_method(o, 99) < 0);
  CHECK_STATUS(mproc_pool_options_set_module(o, NULL), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_pool_options_set_module(o, ""), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_OK(mproc_pool_options_set_self(o));
  CHECK_STATUS(mproc_pool_options_set_table(o, NULL), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_pool_options_set_table(o, (mproc_table_t*)o), MPROC_ERROR_INVALID_HANDLE);
  NEED_OK(mproc_table_create(&table));
  CHECK_OK(mproc_table_destroy(table));
  CHECK_STATUS(mproc_pool_options_set_table(o, table), MPROC_ERROR_STALE_HANDLE);
  CHECK_STATUS(mproc_pool_options_set_initializer(o, 1, NULL, 3), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_OK(mproc_pool_options_set_initializer(o, 1, NULL, 0));
  CHECK_OK(mproc_pool_options_set_queue_limits(o, 0, 0));
  CHECK_OK(mproc_pool_options_set_queue_limits(o, UINT64_MAX, UINT64_MAX));
  CHECK_STATUS(mproc_pool_options_set_polling(o, -1), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_pool_options_set_polling(o, 3), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_pool_options_set_callbacks(o, -1), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_pool_options_set_callbacks(o, 3), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_OK(mproc_pool_options_set_terminate_grace(o, -5));
  CHECK_OK(mproc_pool_options_set_terminate_grace(o, MPROC_FOREVER));
  CHECK_STATUS(mproc_pool_options_set_start_limit(o, MPROC_MILLISECOND - 1), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_pool_options_set_start_limit(o, -1), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_OK(mproc_pool_options_set_start_limit(o, MPROC_MILLISECOND));
  CHECK_STATUS(mproc_pool_options_set_worker_program(o, NULL), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_pool_options_set_worker_program(o, ""), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_OK(mproc_pool_options_destroy(o));
  CHECK_STATUS(mproc_pool_options_destroy(o), MPROC_ERROR_STALE_HANDLE);
  CHECK_STATUS(mproc_pool_options_set_workers(o, 1), MPROC_ERROR_STALE_HANDLE);
  CHECK_OK(mproc_pool_options_destroy(NULL));
  CHECK_STATUS(mproc_pool_options_set_workers(NULL, 1), MPROC_ERROR_INVALID_ARGUMENT);
}

static void WrongHandlesAreTold(void) {
  int number = 0;
  uint64_t value;
  int32_t count;
  mproc_future_t* future;
  mproc_pool_options_t* options = Options(1);
  mproc_pool_t* wrong[] = {(mproc_pool_t*)&number, (mproc_pool_t*)options, (mproc_pool_t*)(intptr_t)-8};
  mproc_pool_t* pool = NULL;
  NEED_OK(mproc_pool_create(options, &pool));
  for (int i = 0; i < 3; i++) {
    CHECK_STATUS(mproc_pool_wait_ready(wrong[i], 0), MPROC_ERROR_INVALID_HANDLE);
    CHECK_STATUS(mproc_pool_submit(wrong[i], 1, NULL, 0, 0, &future), MPROC_ERROR_INVALID_HANDLE);
    CHECK_STATUS(mproc_pool_close(wrong[i]), MPROC_ERROR_INVALID_HANDLE);
    CHECK_STATUS(mproc_pool_terminate(wrong[i]), MPROC_ERROR_INVALID_HANDLE);
    CHECK_STATUS(mproc_pool_join(wrong[i], 0), MPROC_ERROR_INVALID_HANDLE);
    CHECK_STATUS(mproc_pool_destroy(wrong[i]), MPROC_ERROR_INVALID_HANDLE);
    CHECK_STATUS(mproc_pool_worker_count(wrong[i], &count), MPROC_ERROR_INVALID_HANDLE);
  }
  CHECK_STATUS(mproc_pool_close(NULL), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_pool_terminate(NULL), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_pool_join(NULL, 0), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_OK(mproc_pool_destroy(NULL));
  CHECK_STATUS(mproc_pool_create((mproc_pool_options_t*)pool, &pool), MPROC_ERROR_INVALID_HANDLE);
  CHECK_STATUS(mproc_pool_create(options, NULL), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_pool_submit(pool, fn_echo, NULL, 0, 0, NULL), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_pool_submit(pool, fn_echo, NULL, 1, 0, &future), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_pool_apply(pool, fn_echo, NULL, 1, 0, &future), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_pool_apply(pool, fn_echo, NULL, 0, 0, NULL), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_pool_submit_callback(pool, fn_echo, NULL, 1, 0, NULL, NULL, NULL, NULL),
               MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_pool_statistic(pool, 0, &value), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_pool_statistic(pool, 22, &value), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_pool_statistic(pool, 1, NULL), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_pool_worker_count(pool, NULL), MPROC_ERROR_INVALID_ARGUMENT);
  int64_t info;
  CHECK_STATUS(mproc_pool_worker_info(pool, -1, 1, &info), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_pool_worker_info(pool, 1, 1, &info), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_pool_worker_info(pool, 0, 0, &info), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_pool_worker_info(pool, 0, 10, &info), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_pool_worker_info(pool, 0, 1, NULL), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_pool_error_message(pool, NULL, 5, NULL), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_pool_error_message(pool, NULL, 0, NULL), MPROC_ERROR_NO_ERROR);
  CHECK_OK(mproc_pool_destroy(pool));
  CHECK_STATUS(mproc_pool_destroy(pool), MPROC_ERROR_STALE_HANDLE);
  CHECK_STATUS(mproc_pool_close(pool), MPROC_ERROR_STALE_HANDLE);
  CHECK_STATUS(mproc_pool_submit(pool, fn_echo, NULL, 0, 0, &future), MPROC_ERROR_STALE_HANDLE);
  CHECK_STATUS(mproc_pool_wait_ready(pool, 0), MPROC_ERROR_STALE_HANDLE);
  CHECK_OK(mproc_pool_options_destroy(options));
  CHECK_STATUS(mproc_pool_create(options, &pool), MPROC_ERROR_STALE_HANDLE);
}

static void StatusesHaveNamesAndTexts(void) {
  for (int32_t status = 0; status >= MPROC_ERROR_NOT_FOUND; status--) {
    CHECK_HAS(mproc_status_name(status), status ? "MPROC_ERROR_" : "MPROC_OK");
    CHECK(strlen(mproc_status_text(status)) > 5);
    for (int32_t other = 0; other > status; other--)
      CHECK(strcmp(mproc_status_name(status), mproc_status_name(other)));
  }
  CHECK(strcmp(mproc_status_name(1), "unknown") == 0);
  CHECK(strcmp(mproc_status_name(MPROC_ERROR_NOT_FOUND - 1), "unknown") == 0);
  CHECK(strcmp(mproc_status_name(INT32_MIN), "unknown") == 0);
  CHECK(mproc_status_text(12345) != NULL);
  CHECK_EQ(mproc_forever(), MPROC_FOREVER);
  CHECK_EQ(mproc_worker_is_worker(), 0);
  CHECK_STATUS(mproc_future_ready(NULL), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK(strlen(mproc_last_error_message()) > 0);
  unsigned major, minor, patch;
  CHECK(sscanf(mproc_version_string(), "%u.%u.%u", &major, &minor, &patch) == 3);
  CHECK_EQ(mproc_version_number(), major * 1000000 + minor * 1000 + patch);
}

static void DefaultsAndNames(void) {
  int32_t count = 0, wanted = 0;
  cpu_set_t* set = CPU_ALLOC(4096);
  mproc_pool_options_t* options = NULL;
  mproc_pool_t* pool = NULL;
  OpenBoard();
  CHECK_STATUS(mproc_runtime_default_workers(NULL), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_runtime_launcher_pid(NULL), MPROC_ERROR_INVALID_ARGUMENT);
  int64_t launcher = -1;
  CHECK_OK(mproc_runtime_launcher_pid(&launcher));
  CHECK_EQ(launcher, 0);
  CHECK_OK(mproc_runtime_default_workers(&wanted));
  CHECK(wanted >= 1);
  if (sched_getaffinity(0, CPU_ALLOC_SIZE(4096), set) == 0)
    CHECK(wanted <= CPU_COUNT_S(CPU_ALLOC_SIZE(4096), set));
  CPU_FREE(set);
  NEED_OK(mproc_pool_options_create(&options));
  NEED_OK(mproc_pool_options_set_module(options, TEST_MODULE));
  pool = ReadyWith(options);
  CHECK_OK(mproc_pool_worker_count(pool, &count));
  CHECK_EQ(count, wanted);
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_WORKERS), wanted);
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_STARTS), wanted);
  CHECK_OK(mproc_runtime_launcher_pid(&launcher));
  CHECK(launcher > 1 && !TestGone((pid_t)launcher));
  mproc_future_t* future = Submit(pool, fn_name, NULL, 0);
  char name[64] = "";
  WaitEnd(future);
  CHECK_OK(mproc_future_copy_result(future, name, sizeof name - 1, NULL));
  CHECK(strncmp(name, "SpawnPoolWorker-", 16) == 0);
  Release(future);
  CloseJoinDestroy(pool);
  options = Options(1);
  NEED_OK(mproc_pool_options_set_name(options, "kitchen"));
  pool = ReadyWith(options);
  future = Submit(pool, fn_name, NULL, 0);
  WaitEnd(future);
  memset(name, 0, sizeof name);
  CHECK_OK(mproc_future_copy_result(future, name, sizeof name - 1, NULL));
  CHECK_HAS(name, "kitchen");
  CHECK_HAS(name, "PoolWorker-1");
  Release(future);
  CloseJoinDestroy(pool);
}

// Options are copied: what happens to them afterwards does not matter to the pool.
static void OptionsAreCopied(void) {
  char module[512], payload[] = "begin";
  mproc_pool_options_t* options = NULL;
  mproc_pool_t* pools[2];
  OpenBoard();
  snprintf(module, sizeof module, "%s", TEST_MODULE);
  NEED_OK(mproc_pool_options_create(&options));
  NEED_OK(mproc_pool_options_set_module(options, module));
  NEED_OK(mproc_pool_options_set_workers(options, 1));
  NEED_OK(mproc_pool_options_set_initializer(options, fn_keep, payload, 5));
  memset(module, 'x', 10);
  memset(payload, 'x', 5);
  NEED_OK(mproc_pool_create(options, &pools[0]));
  NEED_OK(mproc_pool_options_set_initializer(options, fn_keep, "other", 5));
  NEED_OK(mproc_pool_create(options, &pools[1]));
  NEED_OK(mproc_pool_options_destroy(options));
  for (int i = 0; i < 2; i++) {
    char kept[8] = "";
    mproc_future_t* future = Submit(pools[i], fn_kept, NULL, 0);
    WaitEnd(future);
    CHECK_OK(mproc_future_copy_result(future, kept, sizeof kept - 1, NULL));
    CHECK(strcmp(kept, i ? "other" : "begin") == 0);
    Release(future);
    CloseJoinDestroy(pools[i]);
  }
}

// ---- start

static void InitializerRunsOncePerWorker(void) {
  mproc_pool_options_t* options = Options(3);
  NEED_OK(mproc_pool_options_set_initializer(options, fn_keep, "hello", 5));
  mproc_pool_t* pool = ReadyWith(options);
  CHECK_EQ(atomic_load(&g_board->initialized), 3);
  for (int i = 0; i < 60; i++) {
    const void* data = NULL;
    size_t size = 0;
    mproc_future_t* future = Submit(pool, fn_kept, NULL, 0);
    WaitEnd(future);
    CHECK_OK(mproc_future_result(future, &data, &size));
    CHECK(size == 5 && memcmp(data, "hello", 5) == 0);
    Release(future);
  }
  CHECK_EQ(atomic_load(&g_board->initialized), 3);
  TakeEnd(SubmitNumber(pool, fn_exit, 0), MPROC_OUTCOME_WORKER_LOST, MPROC_CAUSE_EXIT);
  CHECK_SOON(Statistic(pool, MPROC_POOL_STATISTIC_WORKERS) == 3);  // replaced, and initialized, too
  CHECK_EQ(atomic_load(&g_board->initialized), 4);
  CloseJoinDestroy(pool);
}

static void ReadyMeansEveryWorker(void) {
  mproc_pool_t* pool = CreateWith(Options(6));
  int32_t at_once = mproc_pool_wait_ready(pool, 0);
  CHECK(at_once == MPROC_ERROR_TIMED_OUT || at_once == MPROC_OK);
  int32_t negative = mproc_pool_wait_ready(pool, INT64_MIN);
  CHECK(negative == MPROC_ERROR_TIMED_OUT || negative == MPROC_OK);
  CHECK_OK(mproc_pool_wait_ready(pool, TestLong()));
  CHECK_OK(mproc_pool_wait_ready(pool, 0));
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_WORKERS), 6);
  int64_t descriptors = -1;
  for (int i = 0; i < 6; i++) {
    pid_t pid = WorkerPid(pool, i);
    CHECK(pid > 1 && pid != getpid() && !TestGone(pid));
    CHECK_EQ(WorkerInfo(pool, i, MPROC_WORKER_INFO_STATE), MPROC_WORKER_STATE_IDLE);
    for (int k = 0; k < i; k++) {
      CHECK(WorkerPid(pool, k) != pid);
      CHECK(WorkerInfo(pool, k, MPROC_WORKER_INFO_NUMBER) != WorkerInfo(pool, i, MPROC_WORKER_INFO_NUMBER));
    }
    // The last worker has inherited no more than the first.
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/fd", pid);
    DIR* list = opendir(path);
    int64_t count = 0;
    for (struct dirent* entry; list && (entry = readdir(list));) count += entry->d_name[0] != '.';
    if (list) closedir(list);
    if (i == 0) descriptors = count;
    CHECK_EQ(count, descriptors);
  }
  CHECK_OK(mproc_pool_close(pool));
  CHECK_STATUS(mproc_pool_wait_ready(pool, TestLong()), MPROC_ERROR_NOT_RUNNING);
  CHECK_OK(mproc_pool_join(pool, TestLong()));
  CHECK_STATUS(mproc_pool_wait_ready(pool, TestLong()), MPROC_ERROR_NOT_RUNNING);
  CHECK_OK(mproc_pool_destroy(pool));
}

static void TasksMayComeBeforeTheWorkers(void) {
  mproc_future_t* futures[100];
  mproc_pool_t* pool = CreateWith(Options(2));
  for (int i = 0; i < 100; i++) futures[i] = SubmitNumber(pool, fn_square, i);
  for (int i = 0; i < 100; i++) CHECK_EQ(TakeNumber(futures[i]), i * i);
  CloseJoinDestroy(pool);
}

static void WorkerProgramMissing(void) {
  mproc_pool_t* pool = NULL;
  mproc_pool_options_t* options = Options(1);
  NEED_OK(mproc_pool_options_set_worker_program(options, "/nonexistent/mproc-worker"));
  CHECK_STATUS(mproc_pool_create(options, &pool), MPROC_ERROR_NO_WORKER_PROGRAM);
  CHECK(pool == NULL);
  CHECK_HAS(mproc_last_error_message(), "/nonexistent/mproc-worker");
  CHECK_OK(mproc_pool_options_destroy(options));
  pool = ReadyPool(1);  // that did no harm
  CHECK_EQ(TakeNumber(SubmitNumber(pool, fn_square, 4)), 16);
  // The option counts while the runtime lives, too.
  mproc_pool_t* other = NULL;
  options = Options(1);
  NEED_OK(mproc_pool_options_set_worker_program(options, "/nonexistent/mproc-worker"));
  CHECK_STATUS(mproc_pool_create(options, &other), MPROC_ERROR_NO_WORKER_PROGRAM);
  if (other) CHECK_OK(mproc_pool_destroy(other));
  CHECK_OK(mproc_pool_options_destroy(options));
  CloseJoinDestroy(pool);
}

// ---- functions

static mproc_table_t* ModuleTable(void) {
  mproc_table_t* table = NULL;
  NEED_OK(mproc_table_create(&table));
#define ADD(id, name, what) NEED_OK(mproc_table_add(table, id, #name, NULL, NULL));
  TEST_FUNCTIONS(ADD)
#undef ADD
  return table;
}

static void UnknownFunctions(void) {
  uint32_t id = 77;
  mproc_future_t* future = NULL;
  mproc_pool_options_t* options = Options(1);
  mproc_table_t* table = ModuleTable();
  size_t count = 0;
  NEED_OK(mproc_pool_options_set_table(options, table));
  CHECK_OK(mproc_table_count(table, &count));
  NEED_OK(mproc_table_destroy(table));  // was copied
  mproc_pool_t* pool = CreateWith(options);
  // With a table of the host's, from the start.
  CHECK_STATUS(mproc_pool_submit(pool, 9999, NULL, 0, 0, &future), MPROC_ERROR_UNKNOWN_FUNCTION);
  CHECK_STATUS(mproc_pool_apply(pool, 9999, NULL, 0, 0, &future), MPROC_ERROR_UNKNOWN_FUNCTION);
  CHECK_STATUS(mproc_pool_map(pool, 9999, NULL, NULL, 3, 1, 0, 0, &future), MPROC_ERROR_UNKNOWN_FUNCTION);
  CHECK_OK(mproc_pool_find_function(pool, "square", &id));
  CHECK_EQ(id, fn_square);
  CHECK_STATUS(mproc_pool_find_function(pool, "squar", &id), MPROC_ERROR_UNKNOWN_FUNCTION);
  CHECK_STATUS(mproc_pool_find_function(pool, NULL, &id), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_pool_find_function(pool, "square", NULL), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_OK(mproc_pool_wait_ready(pool, TestLong()));
  CHECK_EQ(TakeNumber(SubmitNumber(pool, id, 9)), 81);
  CloseJoinDestroy(pool);
  // Without one: told by the future until a worker has told its table, then at once.
  pool = CreateWith(Options(1));
  int32_t early = mproc_pool_submit(pool, 9999, NULL, 0, 0, &future);
  if (early == MPROC_OK) {
    WaitEnd(future);
    CHECK_EQ(Outcome(future), MPROC_OUTCOME_ERROR);
    CHECK_EQ(Info(future, MPROC_FUTURE_INFO_ERROR_CODE), MPROC_ERROR_UNKNOWN_FUNCTION);
    CHECK_HAS(Message(future), "9999");
    Release(future);
  } else {
    CHECK_STATUS(early, MPROC_ERROR_UNKNOWN_FUNCTION);
  }
  NEED_OK(mproc_pool_wait_ready(pool, TestLong()));
  CHECK_STATUS(mproc_pool_submit(pool, 9999, NULL, 0, 0, &future), MPROC_ERROR_UNKNOWN_FUNCTION);
  CHECK_OK(mproc_pool_find_function(pool, "echo", &id));
  CHECK_EQ(id, fn_echo);
  CHECK_EQ(count, 55);
  CloseJoinDestroy(pool);
}

// ---- the bounds of the queue

// Submits tasks that wait for gate 0 until the queue is full; returns how many went in.
static int FillQueue(mproc_pool_t* pool, size_t size, mproc_future_t** futures, int most) {
  static char bytes[1 << 16];
  Work work = {0, 0};
  memcpy(bytes, &work, sizeof work);
  for (int i = 0; i < most; i++) {
    int32_t status = mproc_pool_submit(pool, fn_gate, bytes, size, i % 2 ? 0 : -1, &futures[i]);
    if (status == MPROC_OK) continue;
    CHECK_STATUS(status, MPROC_ERROR_QUEUE_FULL);
    return i;
  }
  return most;
}

typedef struct {
  mproc_pool_t* pool;
  atomic_int done;
  int32_t status;
  mproc_future_t* future;
} Blocked;
static void* SubmitBlocked(void* argument) {
  Blocked* blocked = argument;
  Work work = {0, 0};
  blocked->status =
      mproc_pool_submit(blocked->pool, fn_gate, &work, sizeof work, MPROC_FOREVER, &blocked->future);
  atomic_store(&blocked->done, 1);
  return NULL;
}

static void CheckFullQueue(mproc_pool_t* pool, mproc_future_t** futures, int count, bool terminate) {
  mproc_future_t* future = NULL;
  Work work = {0, 0};
  pthread_t thread;
  Blocked blocked = {.pool = pool};
  int64_t begin = TestNow();
  CHECK_STATUS(mproc_pool_submit(pool, fn_gate, &work, sizeof work, 0, &future), MPROC_ERROR_QUEUE_FULL);
  CHECK_STATUS(mproc_pool_submit(pool, fn_gate, &work, sizeof work, 60 * MPROC_MILLISECOND, &future),
               MPROC_ERROR_TIMED_OUT);
  CHECK(TestNow() - begin >= 60 * MPROC_MILLISECOND);
  CHECK(future == NULL);
  NEED(pthread_create(&thread, NULL, SubmitBlocked, &blocked) == 0);
  TestRest(30 * MPROC_MILLISECOND);
  CHECK_EQ(blocked.done, 0);
  if (terminate) {
    CHECK_OK(mproc_pool_terminate(pool));
    pthread_join(thread, NULL);
    CHECK_STATUS(blocked.status, MPROC_ERROR_NOT_RUNNING);
    for (int i = 0; i < count; i++) TakeEnd(futures[i], MPROC_OUTCOME_CANCELLED, MPROC_CAUSE_TERMINATE);
    CHECK_OK(mproc_pool_join(pool, TestLong()));
    CHECK_OK(mproc_pool_destroy(pool));
    return;
  }
  OpenGate(0);
  pthread_join(thread, NULL);
  CHECK_STATUS(blocked.status, MPROC_OK);
  WaitEnd(blocked.future);
  Release(blocked.future);
  for (int i = 0; i < count; i++) TakeEnd(futures[i], MPROC_OUTCOME_VALUE, MPROC_CAUSE_NONE);
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_QUEUED), 0);
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_QUEUED_BYTES), 0);
  CHECK_OK(mproc_pool_submit(pool, fn_gate, &work, sizeof work, 0, &future));
  TakeEnd(future, MPROC_OUTCOME_VALUE, MPROC_CAUSE_NONE);
  CloseJoinDestroy(pool);
}

enum { kAhead = 64 };  // what one worker may hold beyond the queue, generously

static void QueueBoundedByNumber(void) {
  mproc_future_t* futures[200];
  mproc_pool_options_t* options = Options(1);
  NEED_OK(mproc_pool_options_set_queue_limits(options, 10, 0));
  mproc_pool_t* pool = ReadyWith(options);
  int count = FillQueue(pool, sizeof(Work), futures, 200);
  CHECK(count >= 10 && count <= 10 + kAhead);
  CHECK(Statistic(pool, MPROC_POOL_STATISTIC_QUEUED) >= 10);
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_QUEUED_BYTES), 10 * sizeof(Work));
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_SUBMITTED), count);
  // A cancelled task makes room for one.
  CHECK_OK(mproc_future_cancel(futures[count - 1]));
  Release(futures[count - 1]);
  futures[count - 1] = NULL;
  CHECK_EQ(FillQueue(pool, sizeof(Work), &futures[count - 1], 1), 1);
  CheckFullQueue(pool, futures, count, false);
}

static void QueueBoundedByBytes(void) {
  mproc_future_t* futures[200];
  mproc_pool_options_t* options = Options(1);
  NEED_OK(mproc_pool_options_set_queue_limits(options, 0, 10000));
  mproc_pool_t* pool = ReadyWith(options);
  int count = FillQueue(pool, 3000, futures, 200);
  CHECK(count >= 3 && count <= 3 + kAhead);
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_QUEUED_BYTES), 9000);
  mproc_future_t* small = NULL;
  Work work = {0, 0};
  static char large[984] = {0};
  CHECK_OK(mproc_pool_submit(pool, fn_gate, &work, sizeof work, 0, &small));  // what still fits goes in
  mproc_future_t* rest = NULL;
  CHECK_OK(mproc_pool_submit(pool, fn_gate, large, sizeof large, 0, &rest));
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_QUEUED_BYTES), 10000);
  CheckFullQueue(pool, futures, count, false);
  TakeEnd(small, MPROC_OUTCOME_VALUE, MPROC_CAUSE_NONE);
  TakeEnd(rest, MPROC_OUTCOME_VALUE, MPROC_CAUSE_NONE);
}

static void BlockedSubmitEndsWithThePool(void) {
  mproc_future_t* futures[200];
  mproc_pool_options_t* options = Options(1);
  NEED_OK(mproc_pool_options_set_queue_limits(options, 5, 0));
  mproc_pool_t* pool = ReadyWith(options);
  CheckFullQueue(pool, futures, FillQueue(pool, sizeof(Work), futures, 200), true);
}

static void OneTaskAlwaysFits(void) {
  static char large[50000];
  mproc_pool_options_t* options = Options(1);
  NEED_OK(mproc_pool_options_set_queue_limits(options, 1, 100));
  mproc_pool_t* pool = CreateWith(options);
  mproc_future_t* futures[20];
  for (int i = 0; i < 20; i++) {
    futures[i] = NULL;
    NEED_OK(mproc_pool_submit(pool, fn_checksum, large, sizeof large, MPROC_FOREVER, &futures[i]));
  }
  Sum wanted = SumOf(large, sizeof large), sum;
  for (int i = 0; i < 20; i++) {
    WaitEnd(futures[i]);
    ReadValue(futures[i], &sum, sizeof sum);
    CHECK(sum.size == wanted.size && sum.sum == wanted.sum);
    Release(futures[i]);
  }
  CloseJoinDestroy(pool);
}

static void* SubmitMany(void* argument) {
  mproc_pool_t* pool = argument;
  enum { kTasks = 500 };
  mproc_future_t* futures[kTasks];
  for (int i = 0; i < kTasks; i++) futures[i] = SubmitNumber(pool, fn_square, i);
  for (int i = 0; i < kTasks; i++) CHECK_EQ(TakeNumber(futures[i]), (int64_t)i * i);
  return NULL;
}
static void ManySubmittersIntoABoundedQueue(void) {
  pthread_t threads[6];
  mproc_pool_options_t* options = Options(2);
  NEED_OK(mproc_pool_options_set_queue_limits(options, 3, 0));
  mproc_pool_t* pool = ReadyWith(options);
  for (int i = 0; i < 6; i++) NEED(pthread_create(&threads[i], NULL, SubmitMany, pool) == 0);
  for (int i = 0; i < 6; i++) pthread_join(threads[i], NULL);
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_VALUES), 3000);
  CloseJoinDestroy(pool);
}

// ---- apply

static void ApplyWaitsWithinItsLimit(void) {
  mproc_future_t* future = (mproc_future_t*)&future;
  Work work = {0, 1};
  int64_t number = 12;
  mproc_pool_t* pool = ReadyPool(1);
  CHECK_OK(mproc_pool_apply(pool, fn_square, &number, sizeof number, MPROC_FOREVER, &future));
  CHECK_EQ(TakeNumber(future), 144);
  CHECK_OK(mproc_pool_apply(pool, fn_refuse, &number, sizeof number, TestLong(), &future));
  TakeEnd(future, MPROC_OUTCOME_ERROR, MPROC_CAUSE_NONE);
  CHECK_OK(mproc_pool_apply(pool, fn_exit, &number, sizeof number, TestLong(), &future));
  TakeEnd(future, MPROC_OUTCOME_WORKER_LOST, MPROC_CAUSE_EXIT);
  int64_t begin = TestNow();
  CHECK_STATUS(mproc_pool_apply(pool, fn_gate, &work, sizeof work, 40 * MPROC_MILLISECOND, &future),
               MPROC_ERROR_TIMED_OUT);
  CHECK(TestNow() - begin >= 40 * MPROC_MILLISECOND);
  CHECK(future == NULL);
  OpenGate(1);
  CHECK_SOON(Ended(1) == 1);  // it went on
  CloseJoinDestroy(pool);
}

// ---- looking

static void StatisticsAddUp(void) {
  mproc_pool_t* pool = ReadyPool(2);
  mproc_future_t* futures[12];
  int count = 0;
  for (int i = 0; i < 4; i++) futures[count++] = SubmitNumber(pool, fn_square, i);
  for (int i = 0; i < 3; i++) futures[count++] = SubmitNumber(pool, fn_refuse, 1);
  for (int i = 0; i < 2; i++) futures[count++] = SubmitNumber(pool, fn_exit, 1);
  CHECK_OK(mproc_future_wait_all(futures, count, TestLong()));
  CHECK_OK(mproc_pool_wait_ready(pool, TestLong()));
  for (int i = 0; i < 3; i++) futures[count++] = SubmitWork(pool, fn_gate, 0, 7 + i);
  NEED_SOON(CountBegun(7, 3) == 2);
  int waiting = 0;  // any of them: the second may stand behind the first while the third runs elsewhere
  while (Begun(7 + waiting)) waiting++;
  CHECK_OK(mproc_future_cancel(futures[9 + waiting]));
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_SUBMITTED), 12);
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_VALUES), 4);
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_ERRORS), 3);
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_LOST), 2);
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_CANCELLED), 1);
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_NOT_RUN), 0);
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_RUNNING), 2);
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_QUEUED), 0);
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_WORKERS), 2);
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_STARTS), 4);
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_DEATHS), 2);
  OpenAllGates();
  CHECK_OK(mproc_future_wait_all(futures, count, TestLong()));
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_VALUES), 6);
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_RUNNING), 0);
  for (int i = 0; i < count; i++) Release(futures[i]);
  CHECK_OK(mproc_pool_close(pool));
  CHECK_OK(mproc_pool_join(pool, TestLong()));
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_VALUES), 6);
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_WORKERS), 0);
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_DEATHS), 2);  // those that were told to end do not count
  CHECK_OK(mproc_pool_destroy(pool));
}

static void WorkersCanBeLookedAt(void) {
  mproc_pool_t* pool = ReadyPool(1);
  pid_t pid = WorkerPid(pool, 0);
  CHECK(pid > 1);
  CHECK_EQ(WorkerInfo(pool, 0, MPROC_WORKER_INFO_NUMBER), 1);
  CHECK_EQ(WorkerInfo(pool, 0, MPROC_WORKER_INFO_TASKS_DONE), 0);
  CHECK_EQ(WorkerInfo(pool, 0, MPROC_WORKER_INFO_TASKS_HELD), 0);
  CHECK_EQ(TakeNumber(Submit(pool, fn_pid, NULL, 0)), pid);
  CHECK_EQ(WorkerInfo(pool, 0, MPROC_WORKER_INFO_TASKS_DONE), 1);
  mproc_future_t* future = SubmitWork(pool, fn_gate, 0, 0);
  NEED_SOON(Begun(0) == 1);
  CHECK_EQ(WorkerInfo(pool, 0, MPROC_WORKER_INFO_STATE), MPROC_WORKER_STATE_BUSY);
  CHECK_EQ(WorkerInfo(pool, 0, MPROC_WORKER_INFO_TASKS_HELD), 1);
  CHECK_EQ(TestKill(pid, SIGSTOP), 0);
  CHECK_SOON(WorkerInfo(pool, 0, MPROC_WORKER_INFO_STATE) == MPROC_WORKER_STATE_STOPPED);
  CHECK_EQ(TestKill(pid, SIGCONT), 0);
  CHECK_SOON(WorkerInfo(pool, 0, MPROC_WORKER_INFO_STATE) == MPROC_WORKER_STATE_BUSY);
  OpenGate(0);
  TakeReport(future);
  CHECK_EQ(WorkerInfo(pool, 0, MPROC_WORKER_INFO_STATE), MPROC_WORKER_STATE_IDLE);
  CHECK_EQ(WorkerInfo(pool, 0, MPROC_WORKER_INFO_TASKS_DONE), 2);
  CHECK_EQ(TestKill(pid, SIGKILL), 0);
  CHECK_SOON(WorkerInfo(pool, 0, MPROC_WORKER_INFO_NUMBER) == 2);  // never given twice
  CHECK_OK(mproc_pool_wait_ready(pool, TestLong()));
  CHECK(WorkerPid(pool, 0) != pid);
  CHECK_OK(mproc_pool_close(pool));
  CHECK_OK(mproc_pool_join(pool, TestLong()));
  CHECK_EQ(WorkerInfo(pool, 0, MPROC_WORKER_INFO_STATE), MPROC_WORKER_STATE_NONE);
  CHECK_EQ(WorkerPid(pool, 0), 0);
  CHECK_OK(mproc_pool_destroy(pool));
}

// ---- more than one of everything

static void PoolsLiveSideBySide(void) {
  mproc_pool_t* pools[4];
  mproc_future_t* futures[4][50];
  int64_t launcher = 0, same = 0;
  for (int i = 0; i < 4; i++) {
    pools[i] = CreateWith(Options(2));
    CHECK_OK(mproc_runtime_launcher_pid(i ? &same : &launcher));
    if (i) CHECK_EQ(same, launcher);
  }
  for (int k = 0; k < 50; k++) {
    for (int i = 0; i < 4; i++) futures[i][k] = SubmitNumber(pools[i], fn_square, 100 * i + k);
  }
  CHECK_OK(mproc_pool_terminate(pools[3]));
  CHECK_OK(mproc_pool_destroy(pools[3]));  // the others do not mind
  for (int k = 0; k < 50; k++) {
    for (int i = 0; i < 3; i++) CHECK_EQ(TakeNumber(futures[i][k]), (100 * i + k) * (100 * i + k));
    CHECK_OK(mproc_future_ready(futures[3][k]));
    Release(futures[3][k]);
  }
  for (int i = 0; i < 3; i++) CloseJoinDestroy(pools[i]);
}

static void MoreWorkersThanCores(void) {
  enum { kWorkers = 24 };
  mproc_pool_t* pool = ReadyPool(kWorkers);
  WarmUp(pool, kWorkers);  // all of them run at the same time
  CloseJoinDestroy(pool);
}

static void ManyThreadsSubmit(void) {
  pthread_t threads[8];
  mproc_pool_t* pool = ReadyPool(3);
  for (int i = 0; i < 8; i++) NEED(pthread_create(&threads[i], NULL, SubmitMany, pool) == 0);
  for (int i = 0; i < 8; i++) pthread_join(threads[i], NULL);
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_VALUES), 4000);
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_SUBMITTED), 4000);
  CloseJoinDestroy(pool);
}

static void EveryWayOfPolling(void) {
  for (int32_t polling = MPROC_POLLING_ADAPTIVE; polling <= MPROC_POLLING_SPIN; polling++) {
    mproc_pool_options_t* options = Options(2);
    NEED_OK(mproc_pool_options_set_polling(options, polling));
    mproc_pool_t* pool = ReadyWith(options);
    for (int64_t i = 0; i < 500; i++) {
      mproc_future_t* future = NULL;
      NEED_OK(mproc_pool_apply(pool, fn_square, &i, sizeof i, TestLong(), &future));
      CHECK_EQ(TakeNumber(future), i * i);
    }
    SubmitMany(pool);
    CloseJoinDestroy(pool);
  }
}

static int64_t CpuOf(pid_t pid) {  // clock ticks
  char path[64], text[1024];
  snprintf(path, sizeof path, "/proc/%d/stat", pid);
  size_t size = TestRead(path, text, sizeof text - 1);
  text[size] = '\0';
  long user = 0, system = 0;
  char* end = strrchr(text, ')');
  if (!end || sscanf(end + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %ld %ld", &user, &system) != 2)
    return -1;
  return user + system;
}
static void IdlePoolUsesNoCpu(void) {
  if (TestSanitized()) TestSkip("sanitizers have threads of their own");
  mproc_pool_t* pool = ReadyPool(2);
  int64_t launcher = 0;
  CHECK_OK(mproc_runtime_launcher_pid(&launcher));
  SubmitMany(pool);
  mproc_future_t* future =
      SubmitWork(pool, fn_gate, 0, 1000);  // and one that waits for a task does not, either
  NEED_SOON(Begun(1000) == 1);
  pid_t pids[4] = {getpid(), (pid_t)launcher, WorkerPid(pool, 0), WorkerPid(pool, 1)};
  TestRest(300 * MPROC_MILLISECOND);
  int64_t before[4], ticks = sysconf(_SC_CLK_TCK);
  for (int i = 0; i < 4; i++) before[i] = CpuOf(pids[i]);
  CHECK_STATUS(mproc_future_wait(future, MPROC_SECOND), MPROC_ERROR_TIMED_OUT);
  for (int i = 0; i < 4; i++) {
    int64_t used = (CpuOf(pids[i]) - before[i]) * 1000 / ticks;
    if (used > 60)
      TestFail(__FILE__, __LINE__, "process %d of 4 used %lld ms of a second", i, (long long)used);
  }
  OpenGate(1000);
  TakeReport(future);
  CloseJoinDestroy(pool);
}

static void WorkersGetTheEnvironment(void) {
  char value[64] = "";
  setenv("MPROC_TEST_GREETING", "good day", 1);
  mproc_pool_t* pool = ReadyPool(1);
  setenv("MPROC_TEST_GREETING", "good night", 1);
  mproc_future_t* future = Submit(pool, fn_environment, "MPROC_TEST_GREETING", 19);
  WaitEnd(future);
  CHECK_OK(mproc_future_copy_result(future, value, sizeof value - 1, NULL));
  CHECK(strcmp(value, "good day") == 0);
  Release(future);
  // A worker started now gets what holds now.
  TakeEnd(SubmitNumber(pool, fn_exit, 0), MPROC_OUTCOME_WORKER_LOST, MPROC_CAUSE_EXIT);
  future = Submit(pool, fn_environment, "MPROC_TEST_GREETING", 19);
  WaitEnd(future);
  memset(value, 0, sizeof value);
  CHECK_OK(mproc_future_copy_result(future, value, sizeof value - 1, NULL));
  CHECK(strcmp(value, "good night") == 0);
  Release(future);
  CloseJoinDestroy(pool);
}

int main(int argc, char** argv) {
  static const TestCase cases[] = {
      {"options refuse nonsense", OptionsRefuseNonsense, 0},
      {"wrong handles are told", WrongHandlesAreTold, 0},
      {"statuses have names and texts", StatusesHaveNamesAndTexts, 0},
      {"defaults and names", DefaultsAndNames, 0},
      {"options are copied", OptionsAreCopied, 0},
      {"initializer runs once per worker", InitializerRunsOncePerWorker, 0},
      {"ready means every worker", ReadyMeansEveryWorker, 0},
      {"tasks may come before the workers", TasksMayComeBeforeTheWorkers, 0},
      {"worker program missing", WorkerProgramMissing, 0},
      {"unknown functions", UnknownFunctions, 0},
      {"queue bounded by number", QueueBoundedByNumber, 0},
      {"queue bounded by bytes", QueueBoundedByBytes, 0},
      {"blocked submit ends with the pool", BlockedSubmitEndsWithThePool, 0},
      {"one task always fits", OneTaskAlwaysFits, 0},
      {"many submitters into a bounded queue", ManySubmittersIntoABoundedQueue, 0},
      {"apply waits within its limit", ApplyWaitsWithinItsLimit, 0},
      {"statistics add up", StatisticsAddUp, 0},
      {"workers can be looked at", WorkersCanBeLookedAt, 0},
      {"pools live side by side", PoolsLiveSideBySide, 0},
      {"more workers than cores", MoreWorkersThanCores, 0},
      {"many threads submit", ManyThreadsSubmit, 0},
      {"every way of polling", EveryWayOfPolling, 0},
      {"idle pool uses no CPU", IdlePoolUsesNoCpu, 0},
      {"workers get the environment", WorkersGetTheEnvironment, 0},
  };
  return TEST_MAIN(argc, argv, cases);
}
