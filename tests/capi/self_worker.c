// SPDX-License-Identifier: MIT
// S34: a program that is its own worker, with the start-up call and without.
#include <pthread.h>

#include "host.h"

enum { own_double = 1, own_is_worker = 2, own_data = 3, own_crash = 4, own_nested = 5, own_nested_self = 6 };

// ---- what workers run

static int32_t Double(mproc_call_t* call, const void* input, size_t size, void* user_data) {
  int64_t number = 0;
  (void)user_data;
  if (size == sizeof number) memcpy(&number, input, size);
  number *= 2;
  return mproc_call_reply(call, &number, sizeof number);
}
static int32_t IsWorker(mproc_call_t* call, const void* input, size_t size, void* user_data) {
  int64_t is = mproc_worker_is_worker();
  (void)input, (void)size, (void)user_data;
  return mproc_call_reply(call, &is, sizeof is);
}
static int32_t Data(mproc_call_t* call, const void* input, size_t size, void* user_data) {
  (void)input, (void)size;
  return mproc_call_reply(call, user_data, strlen(user_data));
}
__attribute__((noinline, visibility("default"))) void CrashInTheProgram(volatile int* where) { *where = 1; }
static int32_t Crash(mproc_call_t* call, const void* input, size_t size, void* user_data) {
  volatile int* volatile nowhere = NULL;
  (void)call, (void)input, (void)size, (void)user_data;
  CrashInTheProgram(nowhere);
  return 1;
}
// Uses a pool of its own for function `user_data` of the test module, or without one of this program.
static int32_t Nested(mproc_call_t* call, const void* input, size_t size, void* user_data) {
  mproc_pool_options_t* options = NULL;
  mproc_pool_t* pool = NULL;
  mproc_future_t* future = NULL;
  const void* data = NULL;
  size_t length = 0;
  uint32_t function = user_data ? *(const uint32_t*)user_data : (uint32_t)own_double;
  int32_t status = mproc_pool_options_create(&options);
  if (!status && user_data) status = mproc_pool_options_set_module(options, TEST_MODULE);
  if (!status) status = mproc_pool_options_set_workers(options, 2);
  if (!status) status = mproc_pool_create(options, &pool);
  if (!status) status = mproc_pool_apply(pool, function, input, size, TestLong(), &future);
  if (!status) status = mproc_future_result(future, &data, &length);
  if (!status) status = mproc_call_reply(call, data, length);
  if (status) return mproc_call_fail(call, status, "", mproc_last_error_message(), NULL);
  mproc_future_release(future);
  mproc_pool_destroy(pool);
  mproc_pool_options_destroy(options);
  return mproc_runtime_finish(TestLong());
}

static mproc_table_t* OwnTable(void) {
  static uint32_t square = fn_square;
  mproc_table_t* table = NULL;
  NEED_OK(mproc_table_create(&table));
  NEED_OK(mproc_table_add(table, own_double, "double", Double, NULL));
  NEED_OK(mproc_table_add(table, own_is_worker, "is worker", IsWorker, NULL));
  NEED_OK(mproc_table_add(table, own_data, "data", Data, "what the table says"));
  NEED_OK(mproc_table_add(table, own_crash, "crash", Crash, NULL));
  NEED_OK(mproc_table_add(table, own_nested, "nested", Nested, &square));
  NEED_OK(mproc_table_add(table, own_nested_self, "nested self", Nested, NULL));
  return table;
}

// ---- a program that serves

static mproc_pool_t* SelfPool(int32_t workers) {
  mproc_pool_options_t* options = Options(workers);  // with a module, which is not meant
  NEED_OK(mproc_pool_options_set_self(options));
  return ReadyWith(options);
}

static void ServesItself(void) {
  char text[64] = "";
  uint32_t id = 0;
  mproc_pool_t* pool = SelfPool(2);
  pid_t pid = WorkerPid(pool, 0);
  CHECK(pid != getpid());
  char own[512] = "", theirs[512] = "", path[64];
  snprintf(path, sizeof path, "/proc/%d/exe", (int)pid);
  CHECK(readlink("/proc/self/exe", own, sizeof own - 1) > 0 && readlink(path, theirs, sizeof theirs - 1) > 0);
  if (!TestUnderValgrind()) CHECK(strcmp(own, theirs) == 0);
  for (int64_t i = 0; i < 200; i++) CHECK_EQ(TakeNumber(SubmitNumber(pool, own_double, i)), 2 * i);
  CHECK_EQ(TakeNumber(Submit(pool, own_is_worker, NULL, 0)), 1);
  CHECK_EQ(mproc_worker_is_worker(), 0);
  mproc_future_t* future = Submit(pool, own_data, NULL, 0);
  WaitEnd(future);
  CHECK_OK(mproc_future_copy_result(future, text, sizeof text - 1, NULL));
  CHECK(strcmp(text, "what the table says") == 0);
  Release(future);
  CHECK_OK(mproc_pool_find_function(pool, "double", &id));
  CHECK_EQ(id, own_double);
  CHECK_STATUS(mproc_pool_submit(pool, 77, NULL, 0, 0, &future), MPROC_ERROR_UNKNOWN_FUNCTION);
  CHECK_OK(mproc_pool_terminate(pool));
  CHECK_OK(mproc_pool_destroy(pool));
}

static void ServesItselfByDefault(void) {
  mproc_pool_t* pool = NULL;
  mproc_future_t* future = NULL;
  int64_t number = 21;
  NEED_OK(mproc_pool_create(NULL, &pool));
  CHECK_OK(mproc_pool_submit(pool, own_double, &number, sizeof number, 0, &future));  // its table is known
  CHECK_STATUS(mproc_pool_submit(pool, 77, NULL, 0, 0, &future), MPROC_ERROR_UNKNOWN_FUNCTION);
  CHECK_EQ(TakeNumber(future), 42);
  CloseJoinDestroy(pool);
}

static void CrashIsTold(void) {
  const char* trace = NULL;
  mproc_pool_t* pool = SelfPool(1);
  mproc_future_t* future = Submit(pool, own_crash, NULL, 0);
  WaitEnd(future);
  CHECK_EQ(Outcome(future), MPROC_OUTCOME_WORKER_LOST);
  CHECK_HAS(Message(future), "crash");
  if (!TestSanitized()) {
    CHECK_EQ(Info(future, MPROC_FUTURE_INFO_SIGNAL), SIGSEGV);
    CHECK_OK(mproc_future_error_trace(future, &trace));
    CHECK_HAS(trace, "CrashInTheProgram");
  }
  Release(future);
  CHECK_EQ(TakeNumber(SubmitNumber(pool, own_double, 4)), 8);
  CloseJoinDestroy(pool);
}

static void WorkerUsesAPool(void) {
  if (TestUnderValgrind()) TestSkip("valgrind's host is not the program");
  mproc_pool_t* pool = SelfPool(1);
  mproc_future_t* future = SubmitNumber(pool, own_nested, 9);
  WaitEnd(future);
  if (!CHECK_STATUS(mproc_future_error(future), MPROC_OK)) printf("  %s\n", Message(future));
  CHECK_EQ(TakeNumber(future), 81);
  CHECK_EQ(TakeNumber(SubmitNumber(pool, own_nested_self, 9)), 18);
  CloseJoinDestroy(pool);
}

static void OtherTablesAreRefused(void) {
  mproc_table_t* table = NULL;
  mproc_pool_t* pool = NULL;
  mproc_pool_options_t* options = NULL;
  NEED_OK(mproc_table_create(&table));
  NEED_OK(mproc_table_add(table, 9, "other", NULL, NULL));
  NEED_OK(mproc_pool_options_create(&options));
  NEED_OK(mproc_pool_options_set_workers(options, 1));
  NEED_OK(mproc_pool_options_set_table(options, table));
  NEED_OK(mproc_table_destroy(table));
  NEED_OK(mproc_pool_create(options, &pool));
  CHECK_STATUS(mproc_pool_wait_ready(pool, TestLong()), MPROC_ERROR_TABLE_MISMATCH);
  CHECK_OK(mproc_pool_options_destroy(options));
  CHECK_OK(mproc_pool_destroy(pool));
}

static void StartUpCallChecksItsTable(void) {
  mproc_table_t* table = NULL;
  CHECK_STATUS(mproc_worker_main(NULL), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_worker_main((mproc_table_t*)&table), MPROC_ERROR_INVALID_HANDLE);
  NEED_OK(mproc_table_create(&table));
  CHECK_OK(mproc_table_destroy(table));
  CHECK_STATUS(mproc_worker_main(table), MPROC_ERROR_STALE_HANDLE);
}

static void TablesRefuseNonsense(void) {
  char name[300];
  uint32_t id = 0;
  uint64_t first = 0, second = 0;
  size_t count = 0;
  mproc_table_t *table = NULL, *other = NULL;
  CHECK_STATUS(mproc_table_create(NULL), MPROC_ERROR_INVALID_ARGUMENT);
  NEED_OK(mproc_table_create(&table));
  CHECK_STATUS(mproc_table_add(table, 1, NULL, Double, NULL), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_table_add(table, 1, "", Double, NULL), MPROC_ERROR_INVALID_ARGUMENT);
  memset(name, 'n', sizeof name);
  name[256] = '\0';
  CHECK_STATUS(mproc_table_add(table, 1, name, Double, NULL), MPROC_ERROR_INVALID_ARGUMENT);
  name[255] = '\0';
  CHECK_OK(mproc_table_add(table, 1, name, Double, NULL));
  CHECK_STATUS(mproc_table_add(table, 1, "two", Double, NULL), MPROC_ERROR_DUPLICATE);
  CHECK_STATUS(mproc_table_add(table, 2, name, Double, NULL), MPROC_ERROR_DUPLICATE);
  CHECK_OK(mproc_table_add(table, INT32_MAX, "last", NULL, NULL));
  CHECK_OK(mproc_table_add(table, 0, "größe", NULL, NULL));
  CHECK_OK(mproc_table_count(table, &count));
  CHECK_EQ(count, 3);
  CHECK_OK(mproc_table_find(table, "größe", &id));
  CHECK_EQ(id, 0);
  CHECK_OK(mproc_table_find(table, "last", &id));
  CHECK_EQ(id, INT32_MAX);
  CHECK_STATUS(mproc_table_find(table, "none", &id), MPROC_ERROR_UNKNOWN_FUNCTION);
  CHECK_STATUS(mproc_table_find(table, NULL, &id), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_table_find(table, "last", NULL), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_table_count(table, NULL), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_table_fingerprint(table, NULL), MPROC_ERROR_INVALID_ARGUMENT);
  // The fingerprint does not depend on addresses or order, but on ids and names.
  NEED_OK(mproc_table_create(&other));
  CHECK_OK(mproc_table_add(other, 0, "größe", Double, &count));
  CHECK_OK(mproc_table_add(other, INT32_MAX, "last", Data, NULL));
  CHECK_OK(mproc_table_fingerprint(table, &first));
  CHECK_OK(mproc_table_fingerprint(other, &second));
  CHECK(first != second);
  CHECK_OK(mproc_table_add(other, 1, name, NULL, NULL));
  CHECK_OK(mproc_table_fingerprint(other, &second));
  CHECK(first == second);
  CHECK_OK(mproc_table_destroy(other));
  CHECK_OK(mproc_table_destroy(table));
  CHECK_STATUS(mproc_table_destroy(table), MPROC_ERROR_STALE_HANDLE);
  CHECK_STATUS(mproc_table_count(table, &count), MPROC_ERROR_STALE_HANDLE);
  CHECK_STATUS(mproc_table_destroy((mproc_table_t*)&count), MPROC_ERROR_INVALID_HANDLE);
  CHECK_OK(mproc_table_destroy(NULL));
}

// ---- programs that do not

// Runs the program `unserved` in this way; checks that it found what it expected, and that there were never
// five processes of it.
static void RunUnserved(const char* way) {
  OpenBoard();
  fflush(stdout);
  pid_t pid = fork();
  if (pid == 0) {
    execl(TEST_UNSERVED, "unserved", way, NULL);
    _exit(127);
  }
  int status = -1, most = 0;
  pid_t ended;
  NEED_SOON(TestMarked(NULL, 0) == 1);
  OpenAllGates();  // it has waited for that
  // The address sanitizer has a process of its own look at each that ends.
  while ((ended = waitpid(pid, &status, WNOHANG)) == 0) {
    int now = TestMarked(NULL, 0);
    if (now > most) most = now;
    TestRest(500000);
  }
  CHECK_EQ(ended, pid);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
    TestFail(__FILE__, __LINE__, "status %x in way %s", status, way);
  if (most >= 5 && !TEST_UNDER_ASAN)
    TestFail(__FILE__, __LINE__, "%d processes at a time in way %s", most, way);
  CHECK_SOON(TestMarked(NULL, 0) == 0);
}
static void NeverCalled(void) { RunUnserved("never"); }
static void CalledTooLate(void) { RunUnserved("late"); }
static void CalledTooLateAndGoesOn(void) { RunUnserved("stubborn"); }
static void EndsBeforeItIsCalled(void) { RunUnserved("exit"); }
static void CalledInTheHostOnly(void) { RunUnserved("host"); }

int main(int argc, char** argv) {
  static const TestCase cases[] = {
      {"S34 serves itself", ServesItself, 0},
      {"S34 serves itself by default", ServesItselfByDefault, 0},
      {"S34 never called", NeverCalled, 0},
      {"S34 called too late", CalledTooLate, 0},
      {"S34 called too late, and goes on", CalledTooLateAndGoesOn, 0},
      {"S34 ends before it is called", EndsBeforeItIsCalled, 0},
      {"S34 called in the host only", CalledInTheHostOnly, 0},
      {"crash is told", CrashIsTold, 0},
      {"worker uses a pool", WorkerUsesAPool, 0},
      {"other tables are refused", OtherTablesAreRefused, 0},
      {"start-up call checks its table", StartUpCallChecksItsTable, 0},
      {"tables refuse nonsense", TablesRefuseNonsense, 0},
  };
  mproc_table_t* table = OwnTable();
  if (mproc_worker_main(table) != MPROC_OK) return 3;
  if (mproc_table_destroy(table) != MPROC_OK) return 3;
  return TEST_MAIN(argc, argv, cases);
}
