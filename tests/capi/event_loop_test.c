// SPDX-License-Identifier: MIT
// What event loops need: results without callbacks on foreign threads, a descriptor to poll, waits that end.
#include <poll.h>
#include <pthread.h>

#include "host.h"

// Submits a task that gives 2 * value + 1, with the value as user data.
static void SubmitTagged(mproc_pool_t* pool, int64_t value) {
  Work work = {0, value};
  CHECK_OK(mproc_pool_submit_callback(pool, fn_mark, &work, sizeof work, MPROC_FOREVER, NULL, NULL,
                                      (void*)(intptr_t)value, NULL));
}

static bool Readable(int fd) {
  struct pollfd look = {fd, POLLIN, 0};
  return poll(&look, 1, 0) == 1 && (look.revents & POLLIN);
}

// ---- next

static void NextHandsOutEveryEndOnce(void) {
  enum { kTasks = 500 };
  mproc_pool_t* pool = CallbackPool(2, MPROC_CALLBACKS_NEXT);
  static char seen[kTasks];
  memset(seen, 0, sizeof seen);
  for (int i = 0; i < kTasks; i++) SubmitTagged(pool, i);
  for (int i = 0; i < kTasks; i++) {
    mproc_future_t* future = NULL;
    void* tag = NULL;
    NEED_OK(mproc_pool_next(pool, TestLong(), &future, &tag));
    int64_t value = (int64_t)(intptr_t)tag;
    CHECK(value >= 0 && value < kTasks && !seen[value]++);
    CHECK_EQ(NumberOf(future), 2 * value + 1);
    Release(future);
  }
  mproc_future_t* future = NULL;
  CHECK_STATUS(mproc_pool_next(pool, 0, &future, NULL), MPROC_ERROR_TIMED_OUT);
  CHECK_STATUS(mproc_pool_next(pool, 5 * MPROC_MILLISECOND, &future, NULL), MPROC_ERROR_TIMED_OUT);
  CHECK(future == NULL);
  CloseJoinDestroy(pool);
}

static void NextTellsEveryKindOfEnd(void) {
  mproc_pool_t* pool = CallbackPool(1, MPROC_CALLBACKS_NEXT);
  const void* items[] = {"a", "bc"};
  const size_t sizes[] = {1, 2};
  mproc_future_t *own = Submit(pool, fn_noop, NULL, 0), *failing = SubmitNumber(pool, fn_fail, 7);
  mproc_future_t *map = NULL, *apply = NULL, *next = NULL;
  CHECK_OK(
      mproc_pool_map_async(pool, fn_echo, items, sizes, 2, 1, MPROC_MAP_STOP_CHUNK, NULL, NULL, &map, &map));
  CHECK_OK(mproc_pool_apply(pool, fn_noop, NULL, 0, TestLong(), &apply));  // waited for here: not told
  static const int32_t outcomes[] = {MPROC_OUTCOME_VALUE, MPROC_OUTCOME_ERROR, MPROC_OUTCOME_VALUE};
  mproc_future_t* wanted[] = {own, failing, map};
  for (int i = 0; i < 3; i++) {
    void* tag = NULL;
    NEED_OK(mproc_pool_next(pool, TestLong(), &next, &tag));
    CHECK(next == wanted[i]);
    CHECK(tag == (i == 2 ? (void*)&map : NULL));
    CHECK_EQ(Outcome(next), outcomes[i]);
    Release(next);       // its handle
    Release(wanted[i]);  // ours
  }
  Release(apply);
  SubmitTagged(pool, 1);
  mproc_future_t* victim = SubmitNumber(pool, fn_exit, 3);
  CHECK_OK(mproc_pool_close(pool));
  NEED_OK(mproc_pool_next(pool, TestLong(), &next, NULL));
  Release(next);
  NEED_OK(mproc_pool_next(pool, TestLong(), &next, NULL));
  CHECK(next == victim);
  CHECK_EQ(Outcome(next), MPROC_OUTCOME_WORKER_LOST);
  Release(next);
  Release(victim);
  CHECK_STATUS(mproc_pool_next(pool, TestLong(), &next, NULL), MPROC_ERROR_NOT_RUNNING);
  CHECK_OK(mproc_pool_join(pool, TestLong()));
  CHECK_OK(mproc_pool_destroy(pool));
}

typedef struct {
  mproc_pool_t* pool;
  atomic_int got;
} Consumers;
static void* Consume(void* argument) {
  Consumers* consumers = argument;
  mproc_future_t* future;
  while (mproc_pool_next(consumers->pool, TestLong(), &future, NULL) == MPROC_OK) {
    CHECK_EQ(Outcome(future), MPROC_OUTCOME_VALUE);
    Release(future);
    atomic_fetch_add(&consumers->got, 1);
  }
  return NULL;
}
static void SeveralThreadsTakeTheNext(void) {
  enum { kThreads = 4, kTasks = 4000 };
  Consumers consumers = {.pool = CallbackPool(2, MPROC_CALLBACKS_NEXT)};
  pthread_t threads[kThreads];
  for (int i = 0; i < kThreads; i++) NEED(pthread_create(&threads[i], NULL, Consume, &consumers) == 0);
  for (int i = 0; i < kTasks; i++) SubmitTagged(consumers.pool, i);
  CHECK_OK(mproc_pool_close(consumers.pool));
  for (int i = 0; i < kThreads; i++) pthread_join(threads[i], NULL);
  CHECK_EQ(consumers.got, kTasks);
  CHECK_OK(mproc_pool_destroy(consumers.pool));
}

static void OnNothing(mproc_future_t* future, void* user_data) { (void)future, (void)user_data; }

static void EachModeHasItsCalls(void) {
  mproc_future_t* future = NULL;
  int32_t fd = -1;
  size_t ran;
  mproc_pool_t* pool = CallbackPool(1, MPROC_CALLBACKS_THREAD);
  CHECK_STATUS(mproc_pool_next(pool, 0, &future, NULL), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_pool_fd(pool, &fd), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_EQ(fd, -1);
  CHECK_OK(mproc_pool_destroy(pool));
  pool = CallbackPool(1, MPROC_CALLBACKS_DISPATCH);
  CHECK_STATUS(mproc_pool_next(pool, 0, &future, NULL), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_pool_fd(pool, NULL), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_OK(mproc_pool_destroy(pool));
  pool = CallbackPool(1, MPROC_CALLBACKS_NEXT);
  CHECK_STATUS(mproc_pool_dispatch(pool, 0, &ran), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_pool_next(pool, 0, NULL, NULL), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(
      mproc_pool_submit_callback(pool, fn_noop, NULL, 0, MPROC_FOREVER, OnNothing, NULL, NULL, &future),
      MPROC_ERROR_INVALID_ARGUMENT);
  SubmitTagged(pool, 1);  // nobody asks: it goes with the pool
  CHECK_OK(mproc_pool_destroy(pool));
}

// ---- the descriptor

static void ReadableWhileSomethingWaits(void) {
  mproc_pool_t* pool = CallbackPool(2, MPROC_CALLBACKS_NEXT);
  mproc_future_t* future = NULL;
  int32_t fd = -1, late = -1;
  CHECK_OK(mproc_pool_fd(pool, &fd));
  CHECK(fd > 2 && (fcntl(fd, F_GETFD) & FD_CLOEXEC));
  CHECK(!Readable(fd));
  for (int i = 0; i < 3; i++) SubmitTagged(pool, i);
  for (int i = 0; i < 3; i++) {
    CHECK_SOON(Readable(fd));  // nobody waits in the library: the engine sees to it
    NEED_OK(mproc_pool_next(pool, TestLong(), &future, NULL));
    Release(future);
  }
  CHECK(!Readable(fd));
  SubmitTagged(pool, 3);
  CHECK_SOON(Readable(fd));
  CHECK_OK(mproc_pool_fd(pool, &late));  // asked for when something waits already
  CHECK(Readable(late));
  // A host that reads, as some loops do, sees the rest after its next call.
  char bytes[16];
  SubmitTagged(pool, 4);
  NEED_SOON(Statistic(pool, MPROC_POOL_STATISTIC_VALUES) == 5);
  while (read(fd, bytes, sizeof bytes) > 0) {
  }
  CHECK(!Readable(fd));
  NEED_OK(mproc_pool_next(pool, TestLong(), &future, NULL));
  Release(future);
  CHECK(Readable(fd));
  // One that closes its descriptor loses nothing but that.
  close(fd);
  NEED_OK(mproc_pool_next(pool, TestLong(), &future, NULL));
  Release(future);
  CHECK(!Readable(late));
  SubmitTagged(pool, 5);
  CHECK_SOON(Readable(late));
  CHECK_OK(mproc_pool_destroy(pool));
  struct pollfd look = {late, POLLIN, 0};
  CHECK_EQ(poll(&look, 1, -1), 1);
  while (read(late, bytes, sizeof bytes) > 0) {
  }
  CHECK_EQ(read(late, bytes, sizeof bytes), 0);  // the pool is gone
  close(late);
}

// What a host does to its descriptor is its own affair.
static void TheDescriptorMayBlock(void) {
  mproc_pool_t* pool = CallbackPool(1, MPROC_CALLBACKS_NEXT);
  mproc_future_t* future = NULL;
  int32_t fd = -1;
  char byte;
  CHECK_OK(mproc_pool_fd(pool, &fd));
  NEED(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK) == 0);
  for (int i = 0; i < 3; i++) {
    SubmitTagged(pool, i);
    CHECK_SOON(Readable(fd));
    if (i != 1) CHECK_EQ(read(fd, &byte, 1), 1);
    NEED_OK(mproc_pool_next(pool, TestLong(), &future, NULL));
    Release(future);
    CHECK(!Readable(fd));
  }
  close(fd);
  CloseJoinDestroy(pool);
}

static void OnCount(mproc_future_t* future, void* user_data) {
  (void)future;
  ++*(int*)user_data;
}
static void ReadableUntilAllIsDispatched(void) {
  enum { kTasks = 10 };
  mproc_pool_t* pool = CallbackPool(1, MPROC_CALLBACKS_DISPATCH);
  int32_t fd = -1;
  int calls = 0;
  size_t ran = 0;
  CHECK_OK(mproc_pool_fd(pool, &fd));
  for (int i = 0; i < kTasks; i++) {
    CHECK_OK(
        mproc_pool_submit_callback(pool, fn_noop, NULL, 0, MPROC_FOREVER, OnCount, OnCount, &calls, NULL));
  }
  while (calls < kTasks) {
    struct pollfd look = {fd, POLLIN, 0};
    NEED(poll(&look, 1, 30000) == 1);
    CHECK_OK(mproc_pool_dispatch(pool, 3, &ran));
    CHECK(ran <= 3);
  }
  CHECK(!Readable(fd));
  close(fd);
  CloseJoinDestroy(pool);
}

// ---- wake

static void WakeEndsOneWait(void) {
  mproc_pool_t* pool = CallbackPool(1, MPROC_CALLBACKS_NEXT);
  mproc_future_t *gate = SubmitWork(pool, fn_gate, 0, 1), *future = NULL;
  CHECK_OK(mproc_pool_wake(pool));
  CHECK_STATUS(mproc_future_wait(gate, 0), MPROC_ERROR_TIMED_OUT);  // does not wait, so it takes no wake
  CHECK_STATUS(mproc_future_wait(gate, TestLong()), MPROC_ERROR_INTERRUPTED);
  CHECK_STATUS(mproc_future_wait(gate, MPROC_MILLISECOND), MPROC_ERROR_TIMED_OUT);
  CHECK_OK(mproc_pool_wake(pool));
  CHECK_OK(mproc_pool_wake(pool));  // as good as one
  CHECK_STATUS(mproc_pool_next(pool, TestLong(), &future, NULL), MPROC_ERROR_INTERRUPTED);
  CHECK_STATUS(mproc_pool_next(pool, MPROC_MILLISECOND, &future, NULL), MPROC_ERROR_TIMED_OUT);
  CHECK_OK(mproc_pool_wake(pool));
  OpenGate(1);
  NEED_SOON(Statistic(pool, MPROC_POOL_STATISTIC_VALUES) == 1);
  WaitEnd(gate);  // what is there goes first ...
  CHECK_OK(mproc_pool_next(pool, TestLong(), &future, NULL));
  CHECK_STATUS(mproc_pool_next(pool, TestLong(), &future, NULL),
               MPROC_ERROR_INTERRUPTED);  // ... and takes no wake
  Release(future);
  Release(gate);
  CHECK_STATUS(mproc_pool_wake(NULL), MPROC_ERROR_INVALID_ARGUMENT);
  CloseJoinDestroy(pool);
  CHECK_STATUS(mproc_pool_wake(pool), MPROC_ERROR_STALE_HANDLE);
}

typedef struct {
  mproc_pool_t* pool;
  mproc_future_t* futures[2];
  atomic_int waiting, woken, ended;
} Sleepers;
static void* SleepOnIt(void* argument) {
  Sleepers* sleepers = argument;
  for (;;) {
    atomic_fetch_add(&sleepers->waiting, 1);
    mproc_status_t status = mproc_future_wait(sleepers->futures[0], TestLong());
    atomic_fetch_add(status == MPROC_OK ? &sleepers->ended : &sleepers->woken, 1);
    if (!CHECK(status == MPROC_OK || status == MPROC_ERROR_INTERRUPTED) || status == MPROC_OK) return NULL;
  }
}
static void WakeFromOtherThreads(void) {
  enum { kThreads = 3, kWakes = 200 };
  Sleepers sleepers = {.pool = ReadyPool(1)};
  pthread_t threads[kThreads];
  sleepers.futures[0] = SubmitWork(sleepers.pool, fn_gate, 0, 1);
  for (int i = 0; i < kThreads; i++) NEED(pthread_create(&threads[i], NULL, SleepOnIt, &sleepers) == 0);
  for (int i = 1; i <= kWakes; i++) {
    CHECK_OK(mproc_pool_wake(sleepers.pool));
    NEED_SOON(atomic_load(&sleepers.woken) == i);
  }
  CHECK_EQ(sleepers.ended, 0);
  OpenGate(1);
  for (int i = 0; i < kThreads; i++) pthread_join(threads[i], NULL);
  CHECK_EQ(sleepers.woken, kWakes);
  CHECK_EQ(sleepers.ended, kThreads);
  Release(sleepers.futures[0]);
  CloseJoinDestroy(sleepers.pool);
}

static mproc_pool_t* g_signalled;
static void WakeIt(int signo) {
  (void)signo;
  mproc_pool_wake(g_signalled);
}
static void* SignalMain(void* argument) {
  pthread_t main_thread = *(pthread_t*)argument;
  while (Begun(1) == 0) TestRest(MPROC_MILLISECOND);
  pthread_kill(main_thread, SIGUSR1);
  return NULL;
}
static void WakeFromASignalHandler(void) {
  pthread_t self = pthread_self(), other;
  g_signalled = ReadyPool(1);
  // SA_RESTART: the wait would go on but for the wake.
  struct sigaction action = {.sa_handler = WakeIt, .sa_flags = SA_RESTART};
  sigaction(SIGUSR1, &action, NULL);
  mproc_future_t* gate = SubmitWork(g_signalled, fn_gate, 0, 1);
  raise(SIGUSR1);  // before the wait
  CHECK_STATUS(mproc_future_wait(gate, TestLong()), MPROC_ERROR_INTERRUPTED);
  NEED(pthread_create(&other, NULL, SignalMain, &self) == 0);
  CHECK_STATUS(mproc_future_wait(gate, TestLong()), MPROC_ERROR_INTERRUPTED);
  pthread_join(other, NULL);
  mproc_future_wait(gate, MPROC_MILLISECOND);  // the signal may have ended the wait before the wake did
  OpenGate(1);
  WaitEnd(gate);
  Release(gate);
  CloseJoinDestroy(g_signalled);
}

static void WakeAWaitForSeveralPools(void) {
  mproc_pool_t *one = ReadyPool(1), *two = ReadyPool(1);
  mproc_future_t* futures[] = {SubmitWork(one, fn_gate, 0, 1), SubmitWork(two, fn_gate, 0, 2)};
  size_t index = 9;
  CHECK_OK(mproc_pool_wake(two));
  CHECK_STATUS(mproc_future_wait_any(futures, 2, TestLong(), &index), MPROC_ERROR_INTERRUPTED);
  OpenAllGates();
  CHECK_OK(mproc_future_wait_all(futures, 2, TestLong()));
  Release(futures[0]);
  Release(futures[1]);
  CloseJoinDestroy(one);
  CloseJoinDestroy(two);
}

int main(int argc, char** argv) {
  static const TestCase cases[] = {
      {"next hands out every end once", NextHandsOutEveryEndOnce, 0},
      {"next tells every kind of end", NextTellsEveryKindOfEnd, 0},
      {"several threads take the next", SeveralThreadsTakeTheNext, 0},
      {"each mode has its calls", EachModeHasItsCalls, 0},
      {"readable while something waits", ReadableWhileSomethingWaits, 0},
      {"the descriptor may block", TheDescriptorMayBlock, 0},
      {"readable until all is dispatched", ReadableUntilAllIsDispatched, 0},
      {"wake ends one wait", WakeEndsOneWait, 0},
      {"wake from other threads", WakeFromOtherThreads, 0},
      {"wake from a signal handler", WakeFromASignalHandler, 0},
      {"wake a wait for several pools", WakeAWaitForSeveralPools, 0},
  };
  return TEST_MAIN(argc, argv, cases);
}
