// SPDX-License-Identifier: MIT
// What workers print comes to the host.
#include <pthread.h>
#include <string.h>

#include "command.h"

// ---- what has come

enum { kMost = 4 << 20 };
static struct {
  pthread_mutex_t mutex;
  char text[3][kMost];  // by stream
  size_t size[3];
  _Atomic int hold, dropped;
  _Atomic uint32_t worker;
} g_came = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static void OnOutput(int32_t stream, const char* text, size_t size, uint32_t worker_number, void* user_data) {
  (void)user_data;
  while (atomic_load(&g_came.hold)) usleep(1000);
  CHECK(stream == MPROC_OUTPUT_STANDARD || stream == MPROC_OUTPUT_ERROR);
  CHECK(text[size] == 0);
  if (strstr(text, "bytes of output were dropped")) atomic_fetch_add(&g_came.dropped, 1);
  pthread_mutex_lock(&g_came.mutex);
  size_t* had = &g_came.size[stream];
  if (*had + size < kMost) memcpy(g_came.text[stream] + *had, text, size + 1), *had += size;
  pthread_mutex_unlock(&g_came.mutex);
  atomic_store(&g_came.worker, worker_number);
}

// Whether that has come on the stream, and nothing else; forgets it then.
static int Came(int32_t stream, const char* text) {
  pthread_mutex_lock(&g_came.mutex);
  int same = strcmp(g_came.text[stream], text) == 0;
  if (same) g_came.text[stream][0] = 0, g_came.size[stream] = 0;
  pthread_mutex_unlock(&g_came.mutex);
  return same;
}

static mproc_pool_options_t* WithOutput(int32_t workers) {
  mproc_pool_options_t* options = Options(workers);
  NEED_OK(mproc_pool_options_set_output_callback(options, OnOutput, NULL));
  return options;
}

static mproc_future_t* SubmitSay(mproc_pool_t* pool, int64_t stream, int64_t count, int64_t then) {
  Say say = {stream, count, then};
  return Submit(pool, fn_say, &say, sizeof say);
}

// ---- cases

// Whoever sees a task ended has what it printed, lines or not.
static void BeforeTheEnd(void) {
  mproc_pool_t* pool = ReadyWith(WithOutput(1));
  for (int i = 0; i < 200; i++) {
    char text[32];
    int size = snprintf(text, sizeof text, i % 2 ? "task %d" : "task %d\n", i);
    mproc_future_t* future = Submit(pool, fn_print, text, (size_t)size);
    WaitEnd(future);
    CHECK(Came(MPROC_OUTPUT_STANDARD, text));
    Release(future);
  }
  CHECK_EQ(atomic_load(&g_came.worker), WorkerInfo(pool, 0, MPROC_WORKER_INFO_NUMBER));
  CloseJoinDestroy(pool);
}

static void EveryEnd(void) {
  mproc_pool_t* pool = ReadyWith(WithOutput(1));
  mproc_future_t* future = SubmitSay(pool, MPROC_OUTPUT_ERROR, 2, kThenReturn);
  WaitEnd(future);
  CHECK(Came(MPROC_OUTPUT_ERROR, "line 0\nline 1"));
  Release(future);
  future = SubmitSay(pool, MPROC_OUTPUT_STANDARD, 1, kThenFail);
  WaitEnd(future);
  CHECK(Came(MPROC_OUTPUT_STANDARD, "line 0"));
  TakeEnd(future, MPROC_OUTCOME_ERROR, MPROC_CAUSE_NONE);
  future = SubmitSay(pool, MPROC_OUTPUT_STANDARD, 3, kThenCrash);
  WaitEnd(future);
  CHECK(Came(MPROC_OUTPUT_STANDARD, "line 0\nline 1\nline 2\n"));
  TakeEnd(future, MPROC_OUTCOME_WORKER_LOST, MPROC_CAUSE_SIGNAL);
  future = SubmitSay(pool, MPROC_OUTPUT_STANDARD, 0, kThenNothing);
  WaitEnd(future);
  CHECK(Came(MPROC_OUTPUT_STANDARD, "said by a child\n"));
  Release(future);
  CHECK(Came(MPROC_OUTPUT_ERROR, ""));
  CloseJoinDestroy(pool);
}

static void WhileItRuns(void) {
  mproc_pool_t* pool = ReadyWith(WithOutput(1));
  mproc_future_t* future = SubmitSay(pool, MPROC_OUTPUT_STANDARD, 2, kThenWait);
  NEED_SOON(Came(MPROC_OUTPUT_STANDARD, "line 0\nline 1\n"));
  CHECK_EQ(Outcome(future), MPROC_OUTCOME_PENDING);
  OpenGate(0);
  WaitEnd(future);
  Release(future);
  CloseJoinDestroy(pool);
}

static void BeforeTheFirstTaskAndAfterTheLast(void) {
  mproc_pool_options_t* options = WithOutput(1);
  NEED_OK(mproc_pool_options_set_initializer(options, fn_print, "hello ", 6));
  NEED_OK(mproc_pool_options_set_finalizer(options, fn_print, "bye", 3));
  mproc_pool_t* pool = ReadyWith(options);
  CHECK_OK(mproc_pool_close(pool));
  NEED_OK(mproc_pool_join(pool, TestLong()));
  CHECK(Came(MPROC_OUTPUT_STANDARD, "hello bye"));
  CHECK_OK(mproc_pool_destroy(pool));
}

// More than a pipe holds, in maps, too; nothing of it is lost or out of order.
static void ManyLines(void) {
  enum { kLines = 20000 };
  mproc_pool_t* pool = ReadyWith(WithOutput(1));
  mproc_future_t* future = SubmitSay(pool, MPROC_OUTPUT_STANDARD, kLines, kThenReturn);
  WaitEnd(future);
  char* all = malloc(kLines * 16);
  size_t size = 0;
  for (int i = 0; i < kLines; i++) size += (size_t)sprintf(all + size, "%sline %d", i ? "\n" : "", i);
  CHECK(Came(MPROC_OUTPUT_STANDARD, all));
  Release(future);
  Say say[4];
  const void* items[4];
  size_t sizes[4];
  for (int i = 0; i < 4; i++)
    say[i] = (Say){MPROC_OUTPUT_STANDARD, 1, kThenReturn}, items[i] = &say[i], sizes[i] = sizeof say[i];
  mproc_future_t* map = NULL;
  NEED_OK(mproc_pool_map(pool, fn_say, items, sizes, 4, 2, MPROC_MAP_STOP_CHUNK, TestLong(), &map));
  CHECK(Came(MPROC_OUTPUT_STANDARD, "line 0line 0line 0line 0"));
  Release(map);
  free(all);
  CloseJoinDestroy(pool);
}

// A callback that does not return holds up no worker: what is too much is dropped, and told.
static void SlowCallback(void) {
  mproc_pool_t* pool = ReadyWith(WithOutput(1));
  atomic_store(&g_came.hold, 1);
  mproc_future_t* flood = SubmitSay(pool, MPROC_OUTPUT_STANDARD, 900000, kThenReturn);  // some 10 MiB
  mproc_future_t* next = SubmitNumber(pool, fn_square, 3);
  CHECK_SOON(WorkerInfo(pool, 0, MPROC_WORKER_INFO_TASKS_DONE) == 2);
  CHECK_EQ(Outcome(flood), MPROC_OUTCOME_PENDING);
  atomic_store(&g_came.hold, 0);
  WaitEnd(flood);
  CHECK_EQ(atomic_load(&g_came.dropped), 0);
  mproc_future_t* last = SubmitSay(pool, MPROC_OUTPUT_STANDARD, 1, kThenReturn);
  WaitEnd(last);
  CHECK_EQ(atomic_load(&g_came.dropped), 1);
  Release(last);
  Release(next);
  Release(flood);
  CloseJoinDestroy(pool);
}

// Before the hello its errors are kept for the message of a failed start; they come then.
static void OfCommands(void) {
  static const char* const kWays[] = {"serve", "pull"};
  for (int i = 0; i < (TestSanitized() ? 1 : 2); i++) {  // of a pull they want to be told
    const char* argv[] = {TEST_COMMAND, kWays[i], "a unicorn"};
    mproc_pool_options_t* options = CommandOptions(1, argv, 3);
    NEED_OK(mproc_pool_options_set_output_callback(options, OnOutput, NULL));
    mproc_pool_t* pool = ReadyWith(options);
    mproc_future_t* future = Submit(pool, kPrint, "hello", 5);
    WaitEnd(future);
    CHECK(Came(MPROC_OUTPUT_ERROR, "hello"));
    Release(future);
    CloseJoinDestroy(pool);
  }
}

static void ByDispatch(void) {
  mproc_pool_options_t* options = WithOutput(1);
  NEED_OK(mproc_pool_options_set_callbacks(options, MPROC_CALLBACKS_DISPATCH));
  mproc_pool_t* pool = ReadyWith(options);
  mproc_future_t* future = Submit(pool, fn_print, "here\n", 5);
  WaitEnd(future);
  CHECK(Came(MPROC_OUTPUT_STANDARD, ""));
  size_t ran = 0;
  CHECK_OK(mproc_pool_dispatch(pool, 10, &ran));
  CHECK_EQ(ran, 1);
  CHECK(Came(MPROC_OUTPUT_STANDARD, "here\n"));
  Release(future);
  CloseJoinDestroy(pool);
}

static void NotEverywhere(void) {
  mproc_pool_t* pool = NULL;
  mproc_pool_options_t* options = WithOutput(1);
  NEED_OK(mproc_pool_options_set_callbacks(options, MPROC_CALLBACKS_NEXT));
  CHECK_STATUS(mproc_pool_create(options, &pool), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_OK(mproc_pool_options_destroy(options));
  options = WithOutput(1);
  NEED_OK(mproc_pool_options_set_start_method(options, MPROC_START_THREADS));
  CHECK_STATUS(mproc_pool_create(options, &pool), MPROC_ERROR_UNSUPPORTED);
  CHECK_OK(mproc_pool_options_destroy(options));
}

static const TestCase g_cases[] = {
    {"before the end", BeforeTheEnd, 0},
    {"every end", EveryEnd, 0},
    {"while it runs", WhileItRuns, 0},
    {"before the first task and after the last", BeforeTheFirstTaskAndAfterTheLast, 0},
    {"many lines", ManyLines, 0},
    {"a slow callback", SlowCallback, 0},
    {"of commands", OfCommands, 0},
    {"by dispatch", ByDispatch, 0},
    {"not everywhere", NotEverywhere, 0},
};

int main(int argc, char** argv) { return TEST_MAIN(argc, argv, g_cases); }
