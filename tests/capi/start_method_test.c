// SPDX-License-Identifier: MIT
// Start methods by number and name, the one of the process, and workers that know theirs.
#include "command.h"

static int32_t Default(void) {
  int32_t method = -7;
  CHECK_OK(mproc_start_method_get(&method));
  return method;
}

static void NamesAndNumbers(void) {
  static const char* const names[] = {"spawn", "forkserver", "fork", "threads"};
  int32_t method = -7;
  for (int32_t i = 0; i < 4; i++) {
    CHECK_HAS(mproc_start_method_name(i), names[i]);
    CHECK_OK(mproc_start_method_find(names[i], &method));
    CHECK_EQ(method, i);
  }
  CHECK(mproc_start_method_name(4) == NULL);
  CHECK(mproc_start_method_name(MPROC_START_NONE) == NULL);
  CHECK(mproc_start_method_name(INT32_MIN) == NULL);
  CHECK_STATUS(mproc_start_method_find("Spawn", &method), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_HAS(mproc_last_error_message(), "'Spawn'");
  CHECK_STATUS(mproc_start_method_find(NULL, &method), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_start_method_find("spawn", NULL), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_start_method_get(NULL), MPROC_ERROR_INVALID_ARGUMENT);
}

static void CheckList(int32_t first) {
  int32_t method = -7, seen = 0, last = -1;
  for (size_t i = 0; i < 4; i++) {
    CHECK_OK(mproc_start_method_list(i, &method));
    if (i == 0) CHECK_EQ(method, first);
    if (i > 0) {
      CHECK(method > last);
      last = method;
    }
    seen |= 1 << method;
  }
  CHECK_EQ(seen, 15);
  CHECK_STATUS(mproc_start_method_list(4, &method), MPROC_ERROR_END);
  CHECK_STATUS(mproc_start_method_list(SIZE_MAX, &method), MPROC_ERROR_END);
  CHECK_STATUS(mproc_start_method_list(0, NULL), MPROC_ERROR_INVALID_ARGUMENT);
}

static void SetOnce(void) {
  CHECK_EQ(Default(), MPROC_START_SPAWN);
  CheckList(MPROC_START_SPAWN);
  CHECK_STATUS(mproc_start_method_set(4, 0), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_start_method_set(-2, 1), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_start_method_set(MPROC_START_NONE, 0), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_OK(mproc_start_method_set(MPROC_START_FORK, 0));
  CHECK_EQ(Default(), MPROC_START_FORK);
  CheckList(MPROC_START_FORK);
  CHECK_STATUS(mproc_start_method_set(MPROC_START_SPAWN, 0), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_HAS(mproc_last_error_message(), "forced");
  CHECK_EQ(Default(), MPROC_START_FORK);
  CHECK_OK(mproc_start_method_set(MPROC_START_THREADS, 1));
  CHECK_EQ(Default(), MPROC_START_THREADS);
  CheckList(MPROC_START_THREADS);
  CHECK_OK(mproc_start_method_set(MPROC_START_NONE, 1));
  CHECK_EQ(Default(), MPROC_START_SPAWN);
  CHECK_OK(mproc_start_method_set(MPROC_START_SPAWN, 0));
  CHECK_STATUS(mproc_start_method_set(MPROC_START_FORK, 0), MPROC_ERROR_INVALID_ARGUMENT);
}

static mproc_pool_options_t* MethodOptions(int32_t workers) {
  mproc_pool_options_t* options = NULL;
  OpenBoard();
  NEED_OK(mproc_pool_options_create(&options));
  NEED_OK(mproc_pool_options_set_module(options, TEST_MODULE_EARLY_POOL));
  NEED_OK(mproc_pool_options_set_workers(options, workers));
  return options;
}
static bool Unfollowed(int32_t method) {
  return TEST_UNDER_TSAN && (method == MPROC_START_FORK || method == MPROC_START_FORKSERVER);
}

static void WorkersKnowTheirs(void) {
  CHECK_EQ(mproc_worker_start_method(), MPROC_START_NONE);
  for (int32_t method = 0; method < 4; method++) {
    if (Unfollowed(method)) continue;
    // By option, whatever the process says; then the other way round.
    CHECK_OK(
        mproc_start_method_set(method == MPROC_START_SPAWN ? MPROC_START_THREADS : MPROC_START_SPAWN, 1));
    mproc_pool_options_t* options = MethodOptions(2);
    NEED_OK(mproc_pool_options_set_start_method(options, method));
    mproc_pool_t* pool = ReadyWith(options);
    CHECK_EQ(TakeNumber(Submit(pool, 2, NULL, 0)), method);
    CloseJoinDestroy(pool);
    CHECK_OK(mproc_start_method_set(method, 1));
    pool = ReadyWith(MethodOptions(2));
    CHECK_EQ(TakeNumber(Submit(pool, 2, NULL, 0)), method);
    CloseJoinDestroy(pool);
    CHECK_EQ(mproc_worker_start_method(), MPROC_START_NONE);
    CHECK_EQ(mproc_worker_is_worker(), 0);
  }
}

// A worker that makes a pool before it serves would be the first of ever more.
static void NoPoolWhileStarting(void) {
  static const char* const places[] = {"constructor", "entry", "initializer"};
  setenv("MPROC_TEST_MODULE", TEST_MODULE_EARLY_POOL, 1);
  for (int32_t method = 0; method < 4; method++) {
    if (Unfollowed(method)) continue;
    for (int i = 0; i < 3; i++) {
      setenv("MPROC_TEST_NESTS", places[i], 1);
      mproc_pool_options_t* options = MethodOptions(1);
      NEED_OK(mproc_pool_options_set_start_method(options, method));
      NEED_OK(mproc_pool_options_set_initializer(options, 1, NULL, 0));
      mproc_pool_t* pool = ReadyWith(options);
      if (!CHECK_EQ(Begun(0), 1)) printf("  %s, %s\n", mproc_start_method_name(method), places[i]);
      CHECK_EQ(-(int64_t)Ended(0), MPROC_ERROR_NOT_SERVED);
      CHECK_EQ(TakeNumber(Submit(pool, 2, NULL, 0)), method);
      CHECK_OK(mproc_pool_destroy(pool));
      atomic_store(&g_board->begun[0], 0);
      atomic_store(&g_board->ended[0], 0);
    }
  }
}

// What both times are at most and at least is measured here.
static void CheckTimes(mproc_pool_t* pool, int64_t most, int64_t initializer) {
  int64_t start = WorkerInfo(pool, 0, MPROC_WORKER_INFO_START_TIME);
  int64_t took = WorkerInfo(pool, 0, MPROC_WORKER_INFO_INITIALIZER_TIME);
  CHECK(start > 0 && start <= most && start >= took);
  CHECK(initializer ? took >= initializer : took == 0);
}

static void TimesOfStarts(void) {
  for (int32_t method = 0; method < 4; method++) {
    if (Unfollowed(method)) continue;
    Work work = {0, 100 + method};
    mproc_pool_options_t* options = Options(1);
    NEED_OK(mproc_pool_options_set_start_method(options, method));
    NEED_OK(mproc_pool_options_set_initializer(options, fn_gate, &work, sizeof work));
    int64_t asked = TestNow();
    mproc_pool_t* pool = CreateWith(options);
    NEED_SOON(Begun(work.value));
    int64_t begun = TestNow();
    CHECK_EQ(WorkerInfo(pool, 0, MPROC_WORKER_INFO_START_TIME), 0);
    CHECK_EQ(WorkerInfo(pool, 0, MPROC_WORKER_INFO_INITIALIZER_TIME), 0);
    TestRest(MPROC_MILLISECOND);
    int64_t held = TestNow() - begun;
    OpenGate(work.value);
    NEED_OK(mproc_pool_wait_ready(pool, TestLong()));
    CheckTimes(pool, TestNow() - asked, held);
    CloseJoinDestroy(pool);

    options = Options(1);
    NEED_OK(mproc_pool_options_set_start_method(options, method));
    asked = TestNow();
    pool = ReadyWith(options);
    CheckTimes(pool, TestNow() - asked, 0);
    CloseJoinDestroy(pool);
  }
}

// A worker that takes another one's place has times of its own.
static void TimesOfCommandsAndSuccessors(void) {
  static const char* const argv[] = {TEST_COMMAND};
  int64_t number = 1, asked = TestNow();
  mproc_pool_options_t* options = CommandOptions(1, argv, 1);
  NEED_OK(mproc_pool_options_set_initializer(options, kDouble, &number, sizeof number));
  mproc_pool_t* pool = ReadyWith(options);
  CheckTimes(pool, TestNow() - asked, 1);
  asked = TestNow();
  CheckCrash(pool, SIGABRT);
  CHECK_EQ(WorkerInfo(pool, 0, MPROC_WORKER_INFO_NUMBER), 2);
  CheckTimes(pool, TestNow() - asked, 1);
  CloseJoinDestroy(pool);
}

int main(int argc, char** argv) {
  static const TestCase cases[] = {
      {"names and numbers", NamesAndNumbers, 0},
      {"set once", SetOnce, 0},
      {"workers know theirs", WorkersKnowTheirs, 0},
      {"no pool while starting", NoPoolWhileStarting, 0},
      {"times of starts", TimesOfStarts, 0},
      {"times of commands and successors", TimesOfCommandsAndSuccessors, 0},
  };
  return TEST_MAIN(argc, argv, cases);
}
