// SPDX-License-Identifier: MIT
// Pools that the parts of a process share by a name.
#include <pthread.h>

#include "host.h"

static mproc_pool_t* Shared(const char* name, int32_t workers) {
  mproc_pool_options_t* options = Options(workers);
  mproc_pool_t* pool = NULL;
  NEED_OK(mproc_pool_shared(name, options, &pool));
  CHECK_OK(mproc_pool_options_destroy(options));
  CHECK_OK(mproc_pool_wait_ready(pool, TestLong()));
  return pool;
}
static const char* NameOfWorker(mproc_pool_t* pool) {
  static char name[64];
  mproc_future_t* future = Submit(pool, fn_name, NULL, 0);
  WaitEnd(future);
  memset(name, 0, sizeof name);
  CHECK_OK(mproc_future_copy_result(future, name, sizeof name - 1, NULL));
  Release(future);
  return name;
}

static void OneForAName(void) {
  mproc_pool_t* one = Shared("sums", 2);
  mproc_pool_t* same = Shared("sums", 5);
  mproc_pool_t* other = Shared("other", 1);
  int32_t count = 0;
  CHECK(one != same);
  CHECK_EQ(WorkerPid(one, 0), WorkerPid(same, 0));
  CHECK(WorkerPid(one, 0) != WorkerPid(other, 0));
  CHECK_OK(mproc_pool_worker_count(same, &count));
  CHECK_EQ(count, 2);
  CHECK_HAS(NameOfWorker(one), "sums-");
  CHECK_EQ(Statistic(same, MPROC_POOL_STATISTIC_VALUES), 1);
  CHECK_OK(mproc_pool_destroy(one));
  CHECK_OK(mproc_pool_destroy(same));
  CHECK_OK(mproc_pool_destroy(other));
}

// A destroyed handle is stale, the pool and what runs there live on; the last one ends it.
static void LastHandleEndsIt(void) {
  mproc_pool_t* one = Shared("sums", 2);
  mproc_pool_t* same = Shared("sums", 2);
  mproc_future_t* gate = SubmitWork(one, fn_gate, 0, 0);
  NEED_SOON(Begun(0) == 1);
  CHECK_OK(mproc_pool_destroy(one));
  CHECK_STATUS(mproc_pool_destroy(one), MPROC_ERROR_STALE_HANDLE);
  CHECK_STATUS(mproc_pool_close(one), MPROC_ERROR_STALE_HANDLE);
  CHECK_STATUS(mproc_future_ready(gate), MPROC_ERROR_NOT_READY);
  CHECK_EQ(TakeNumber(SubmitNumber(same, fn_square, 8)), 64);
  OpenGate(0);
  TakeReport(gate);
  mproc_future_t* hanging = SubmitWork(same, fn_gate, 0, 1);
  NEED_SOON(Begun(1) == 1);
  CHECK_OK(mproc_pool_destroy(same));
  TakeEnd(hanging, MPROC_OUTCOME_CANCELLED, MPROC_CAUSE_DESTROY);
}

// Who asks after the pool was closed, or is broken, gets a new one.
static void OldOnesAreReplaced(void) {
  mproc_pool_t* old = Shared("sums", 1);
  CHECK_OK(mproc_pool_close(old));
  mproc_pool_t* next = Shared("sums", 1);
  CHECK(WorkerPid(next, 0) != 0);
  CHECK_OK(mproc_pool_join(old, TestLong()));
  CHECK_EQ(TakeNumber(SubmitNumber(next, fn_square, 3)), 9);
  CHECK_OK(mproc_pool_destroy(old));
  CHECK_EQ(TakeNumber(SubmitNumber(next, fn_square, 4)), 16);
  CHECK_OK(mproc_pool_terminate(next));
  CHECK_OK(mproc_pool_destroy(next));

  mproc_pool_options_t* options = Options(1);
  mproc_pool_t* broken = NULL;
  char why[256];
  NEED_OK(mproc_pool_options_set_module(options, "/nonexistent/module.so"));
  NEED_OK(mproc_pool_shared("sums", options, &broken));
  CHECK_OK(mproc_pool_options_destroy(options));
  CHECK_SOON(mproc_pool_error_message(broken, why, sizeof why, NULL) != MPROC_ERROR_NO_ERROR);
  next = Shared("sums", 1);
  CHECK_EQ(TakeNumber(SubmitNumber(next, fn_square, 5)), 25);
  mproc_pool_t* same = Shared("sums", 1);
  CHECK_EQ(WorkerPid(next, 0), WorkerPid(same, 0));
  CHECK_OK(mproc_pool_destroy(broken));
  CHECK_OK(mproc_pool_destroy(same));
  CHECK_OK(mproc_pool_destroy(next));
}

// Threads that come and go: whoever has a handle can use it.
static void* ComeAndGo(void* unused) {
  mproc_pool_options_t* options = Options(1);
  for (int64_t i = 0; i < 30; i++) {
    mproc_pool_t* pool = NULL;
    NEED_OK(mproc_pool_shared("busy", options, &pool));
    CHECK_EQ(TakeNumber(SubmitNumber(pool, fn_square, i)), i * i);
    CHECK_OK(mproc_pool_destroy(pool));
  }
  CHECK_OK(mproc_pool_options_destroy(options));
  return unused;
}
static void ManyThreads(void) {
  pthread_t threads[6];
  OpenBoard();
  for (int i = 0; i < 6; i++) NEED(pthread_create(&threads[i], NULL, ComeAndGo, NULL) == 0);
  for (int i = 0; i < 6; i++) pthread_join(threads[i], NULL);
}

static void ForkedChildHasItsOwn(void) {
  if (TestUnderValgrind()) TestSkip("what hangs on stacks that a fork has not got is lost for valgrind");
  if (TEST_UNDER_TSAN) TestSkip("the thread sanitizer knows no threads that a fork of threads begins");
  mproc_pool_t* ours = Shared("sums", 1);
  fflush(NULL);
  pid_t child = fork();
  if (child == 0) {
    mproc_pool_t* theirs = Shared("sums", 1);
    CHECK_EQ(TakeNumber(SubmitNumber(theirs, fn_square, 6)), 36);
    CHECK_STATUS(mproc_pool_destroy(ours), MPROC_ERROR_FORKED);
    CHECK_OK(mproc_pool_destroy(theirs));
    CHECK_OK(mproc_runtime_finish(TestLong()));
    _exit(atomic_load(&g_test_failures) != 0);
  }
  int status = -1;
  CHECK_EQ(waitpid(child, &status, 0), child);
  CHECK_EQ(status, 0);
  CHECK_EQ(TakeNumber(SubmitNumber(ours, fn_square, 7)), 49);
  CHECK_OK(mproc_pool_destroy(ours));
}

static void BadNames(void) {
  char longest[65];
  mproc_pool_t* pool = NULL;
  mproc_pool_options_t* options = Options(1);
  memset(longest, 'x', sizeof longest);
  longest[64] = '\0';
  CHECK_STATUS(mproc_pool_shared(NULL, options, &pool), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_pool_shared("", options, &pool), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_pool_shared(longest, options, &pool), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_pool_shared("sums", options, NULL), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_pool_shared("sums", NULL, &pool), MPROC_ERROR_NOT_SERVED);
  CHECK_OK(mproc_pool_options_destroy(options));
  CHECK_STATUS(mproc_pool_shared("sums", options, &pool), MPROC_ERROR_STALE_HANDLE);
  CHECK(pool == NULL);
}

int main(int argc, char** argv) {
  static const TestCase cases[] = {
      {"one for a name", OneForAName, 0},
      {"last handle ends it", LastHandleEndsIt, 0},
      {"old ones are replaced", OldOnesAreReplaced, 0},
      {"many threads", ManyThreads, 0},
      {"forked child has its own", ForkedChildHasItsOwn, 0},
      {"bad names", BadNames, 0},
  };
  return TEST_MAIN(argc, argv, cases);
}
