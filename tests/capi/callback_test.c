// SPDX-License-Identifier: MIT
// Callbacks: exactly once each, where and in which order they run, and what they may do.
#include <pthread.h>

#include "host.h"

typedef struct {
  atomic_int values, errors;
  atomic_int inside, most_inside;  // at a time
  atomic_int other_thread;
  pthread_t thread;
  int32_t outcome;  // of the last
} Calls;

static void Note(Calls* calls) {
  int inside = atomic_fetch_add(&calls->inside, 1) + 1;
  if (inside > atomic_load(&calls->most_inside)) atomic_store(&calls->most_inside, inside);
  if (calls->values + calls->errors == 0) calls->thread = pthread_self();
  if (!pthread_equal(calls->thread, pthread_self())) calls->other_thread++;
}
static void OnValue(mproc_future_t* future, void* user_data) {
  Calls* calls = user_data;
  Note(calls);
  calls->outcome = Outcome(future);
  CHECK_EQ(calls->outcome, MPROC_OUTCOME_VALUE);
  atomic_fetch_sub(&calls->inside, 1);
  atomic_fetch_add(&calls->values, 1);
}
static void OnError(mproc_future_t* future, void* user_data) {
  Calls* calls = user_data;
  Note(calls);
  calls->outcome = Outcome(future);
  CHECK(calls->outcome > MPROC_OUTCOME_VALUE);
  atomic_fetch_sub(&calls->inside, 1);
  atomic_fetch_add(&calls->errors, 1);
}
static mproc_future_t* SubmitCalled(mproc_pool_t* pool, uint32_t function, int64_t ms, int64_t value,
                                    mproc_future_cb callback, mproc_future_cb error, void* user_data) {
  Work work = {ms, value};
  mproc_future_t* future = NULL;
  NEED_OK(mproc_pool_submit_callback(pool, function, &work, sizeof work, MPROC_FOREVER, callback, error,
                                     user_data, &future));
  return future;
}

// ---- exactly once

static void OneOfTheTwoOncePerEnd(void) {
  enum { kEnds = 6 };
  Calls calls[kEnds] = {{0}}, refused = {0};
  mproc_future_t* futures[kEnds];
  const int32_t wanted[kEnds] = {MPROC_OUTCOME_VALUE,     MPROC_OUTCOME_ERROR,     MPROC_OUTCOME_WORKER_LOST,
                                 MPROC_OUTCOME_CANCELLED, MPROC_OUTCOME_CANCELLED, MPROC_OUTCOME_CANCELLED};
  mproc_pool_t* pool = ReadyPool(1);
  futures[0] = SubmitCalled(pool, fn_mark, 0, 0, OnValue, OnError, &calls[0]);
  futures[1] = SubmitCalled(pool, fn_refuse, 3, 0, OnValue, OnError, &calls[1]);
  futures[2] = SubmitCalled(pool, fn_raise, SIGKILL, 0, OnValue, OnError, &calls[2]);
  for (int i = 0; i < 3; i++) WaitEnd(futures[i]);
  futures[3] = SubmitCalled(pool, fn_stubborn, 0, 3, OnValue, OnError, &calls[3]);
  futures[4] = SubmitCalled(pool, fn_mark, 0, 4, OnValue, OnError, &calls[4]);
  futures[5] = SubmitCalled(pool, fn_mark, 0, 5, OnValue, OnError, &calls[5]);
  NEED_SOON(Begun(3) == 1);
  CHECK_OK(mproc_future_cancel(futures[4]));
  WaitEnd(futures[4]);
  CHECK_EQ(calls[4].errors, 1);
  CHECK_STATUS(mproc_pool_submit_callback(pool, 9999, NULL, 0, 0, OnValue, OnError, &refused, NULL),
               MPROC_ERROR_UNKNOWN_FUNCTION);
  CHECK_OK(mproc_pool_terminate(pool));
  CHECK_STATUS(mproc_pool_submit_callback(pool, fn_noop, NULL, 0, 0, OnValue, OnError, &refused, NULL),
               MPROC_ERROR_NOT_RUNNING);
  CHECK_OK(mproc_pool_join(pool, TestLong()));
  CHECK_OK(mproc_pool_destroy(pool));
  for (int i = 0; i < kEnds; i++) {
    CHECK_EQ(calls[i].values, i == 0);
    CHECK_EQ(calls[i].errors, i != 0);
    CHECK_EQ(calls[i].outcome, wanted[i]);
    Release(futures[i]);
  }
  CHECK_EQ(refused.values + refused.errors, 0);  // what was refused is never called
}

static void EitherMayBeNull(void) {
  Calls calls = {0};
  mproc_pool_t* pool = ReadyPool(2);
  mproc_future_t* futures[4] = {SubmitCalled(pool, fn_mark, 0, 0, NULL, OnError, &calls),
                                SubmitCalled(pool, fn_refuse, 3, 0, OnValue, NULL, &calls),
                                SubmitCalled(pool, fn_mark, 0, 0, NULL, NULL, &calls), NULL};
  Work work = {0, 9};
  CHECK_OK(mproc_pool_submit_callback(pool, fn_mark, &work, sizeof work, 0, NULL, NULL, NULL, &futures[3]));
  NEED_OK(mproc_future_wait_all(futures, 4, TestLong()));
  CHECK_EQ(calls.values + calls.errors, 0);
  for (int i = 0; i < 4; i++) Release(futures[i]);
  // No future wanted: the callbacks are all there is. Or not even these.
  CHECK_OK(mproc_pool_submit_callback(pool, fn_mark, &work, sizeof work, 0, OnValue, OnError, &calls, NULL));
  CHECK_OK(mproc_pool_submit_callback(pool, fn_mark, &work, sizeof work, 0, NULL, NULL, NULL, NULL));
  CHECK_OK(mproc_pool_close(pool));
  CHECK_OK(mproc_pool_join(pool, TestLong()));
  CHECK_EQ(calls.values, 1);
  CHECK_EQ(calls.errors, 0);
  CHECK_EQ(Ended(9), 3);
  CHECK_OK(mproc_pool_destroy(pool));
}

static void OneAtATimeOnOneThread(void) {
  enum { kTasks = 3000 };
  static Calls calls;
  mproc_pool_t* pool = ReadyPool(3);
  for (int i = 0; i < kTasks; i++) {
    Work work = {0, i};
    uint32_t function = i % 10 == 0 ? fn_refuse : fn_mark;
    if (function == fn_refuse) work.ms = 1;
    NEED_OK(mproc_pool_submit_callback(pool, function, &work, sizeof work, MPROC_FOREVER, OnValue, OnError,
                                       &calls, NULL));
  }
  CHECK_OK(mproc_pool_close(pool));
  CHECK_OK(mproc_pool_join(pool, TestLong()));  // waits for the callbacks, too
  CHECK_EQ(calls.values, kTasks - kTasks / 10);
  CHECK_EQ(calls.errors, kTasks / 10);
  CHECK_EQ(calls.most_inside, 1);
  CHECK_EQ(calls.other_thread, 0);
  CHECK_OK(mproc_pool_destroy(pool));
}

static int64_t g_order[64];
static int g_order_count;
static void OnOrder(mproc_future_t* future, void* user_data) {
  (void)user_data;
  g_order[g_order_count++] = ReportOf(future).value;
}
static void InOrderOfCompletion(void) {
  mproc_pool_t* pool = ReadyPool(3);
  mproc_future_t* futures[3];
  for (int i = 0; i < 3; i++) futures[i] = SubmitCalled(pool, fn_gate, 0, i, OnOrder, NULL, NULL);
  NEED_SOON(CountBegun(0, 3) == 3);
  for (int i = 2; i >= 0; i--) {
    OpenGate(i);
    WaitEnd(futures[i]);
    CHECK_EQ(g_order_count, 3 - i);  // has returned before the wait does
    CHECK_EQ(g_order[2 - i], i);
    Release(futures[i]);
  }
  CloseJoinDestroy(pool);
}

// ---- ready after the callback

typedef struct {
  atomic_int entered, leave;
} Latch;
static void OnLatch(mproc_future_t* future, void* user_data) {
  Latch* latch = user_data;
  // For the thread that runs the callback the future is ready.
  CHECK_OK(mproc_future_ready(future));
  CHECK_OK(mproc_future_wait(future, 0));
  CHECK_OK(mproc_future_wait(future, MPROC_FOREVER));
  CHECK_OK(mproc_future_wait_all(&future, 1, MPROC_FOREVER));
  CHECK_EQ(Outcome(future), MPROC_OUTCOME_VALUE);
  CHECK_EQ(NumberOf(future), 11);
  atomic_store(&latch->entered, 1);
  while (!atomic_load(&latch->leave)) TestRest(MPROC_MILLISECOND);
}
static void OthersWaitForTheCallback(void) {
  Latch latch = {0};
  mproc_pool_t* pool = ReadyPool(1);
  mproc_future_t* future = SubmitCalled(pool, fn_mark, 0, 5, OnLatch, NULL, &latch);
  NEED_SOON(atomic_load(&latch.entered));
  CHECK_STATUS(mproc_future_ready(future), MPROC_ERROR_NOT_READY);
  CHECK_STATUS(mproc_future_wait(future, 20 * MPROC_MILLISECOND), MPROC_ERROR_TIMED_OUT);
  CHECK_EQ(Outcome(future), MPROC_OUTCOME_PENDING);
  CHECK_STATUS(mproc_future_cancel(future), MPROC_ERROR_ALREADY_STARTED);
  // A callback that takes its time holds up neither workers nor tasks without callbacks.
  mproc_future_t* plain = SubmitNumber(pool, fn_square, 12);
  CHECK_EQ(TakeNumber(plain), 144);
  CHECK_OK(mproc_pool_close(pool));
  CHECK_STATUS(mproc_pool_join(pool, 50 * MPROC_MILLISECOND), MPROC_ERROR_TIMED_OUT);
  atomic_store(&latch.leave, 1);
  CHECK_OK(mproc_pool_join(pool, TestLong()));
  CHECK_OK(mproc_future_ready(future));
  Release(future);
  CHECK_OK(mproc_pool_destroy(pool));
}

static mproc_future_t* g_kept;
static void OnKeep(mproc_future_t* future, void* user_data) {
  (void)user_data;
  CHECK_OK(mproc_future_retain(future));
  g_kept = future;
}
static void BorrowedFutureMayBeKept(void) {
  Work work = {0, 21};
  mproc_pool_t* pool = ReadyPool(1);
  NEED_OK(mproc_pool_submit_callback(pool, fn_mark, &work, sizeof work, 0, OnKeep, NULL, NULL, NULL));
  CloseJoinDestroy(pool);
  CHECK_EQ(NumberOf(g_kept), 43);
  Release(g_kept);
  CHECK_STATUS(mproc_future_ready(g_kept), MPROC_ERROR_STALE_HANDLE);
}

// ---- what a callback may do

typedef struct {
  mproc_pool_t* pool;
  mproc_future_t* others[20];
  atomic_int calls, left;
  int32_t status;
} Doing;

static void OnSubmitNext(mproc_future_t* future, void* user_data) {
  Doing* doing = user_data;
  int64_t value = NumberOf(future);
  CHECK_EQ(value, 2 * doing->calls + 1);
  doing->calls++;
  Work work = {0, doing->calls};
  if (doing->calls == 200) return;
  CHECK_OK(mproc_pool_submit_callback(doing->pool, fn_mark, &work, sizeof work, MPROC_FOREVER, OnSubmitNext,
                                      NULL, doing, NULL));
}
static void CallbackSubmits(void) {
  Doing doing = {.pool = ReadyPool(2)};
  Release(SubmitCalled(doing.pool, fn_mark, 0, 0, OnSubmitNext, NULL, &doing));
  CHECK_SOON(doing.calls == 200);
  CloseJoinDestroy(doing.pool);
}

static void OnWaitOther(mproc_future_t* future, void* user_data) {
  Doing* doing = user_data;
  (void)future;
  mproc_future_t* other = SubmitNumber(doing->pool, fn_square, 6);
  CHECK_EQ(TakeNumber(other), 36);
  // Its own callback cannot run before this one returns, yet this thread need not wait for it.
  CHECK_OK(mproc_future_wait(doing->others[0], TestLong()));
  CHECK_EQ(Outcome(doing->others[0]), MPROC_OUTCOME_VALUE);
  doing->calls++;
}
static void CallbackWaitsForOthers(void) {
  Doing doing = {.pool = ReadyPool(2)};
  Calls calls = {0};
  doing.others[0] = SubmitCalled(doing.pool, fn_gate, 0, 7, OnValue, OnError, &calls);
  NEED_SOON(Begun(7) == 1);
  mproc_future_t* future = SubmitCalled(doing.pool, fn_mark, 0, 0, OnWaitOther, NULL, &doing);
  TestRest(10 * MPROC_MILLISECOND);
  OpenGate(7);
  WaitEnd(future);
  WaitEnd(doing.others[0]);
  CHECK_EQ(doing.calls, 1);
  CHECK_EQ(calls.values, 1);
  Release(future);
  Release(doing.others[0]);
  CloseJoinDestroy(doing.pool);
}

static void OnBlockItself(mproc_future_t* future, void* user_data) {
  Doing* doing = user_data;
  mproc_future_t* other = (mproc_future_t*)doing;
  (void)future;
  CHECK_STATUS(mproc_pool_apply(doing->pool, fn_noop, NULL, 0, 0, &other), MPROC_ERROR_WOULD_BLOCK_ITSELF);
  CHECK_STATUS(mproc_pool_map(doing->pool, fn_noop, NULL, NULL, 2, 1, 0, 0, &other),
               MPROC_ERROR_WOULD_BLOCK_ITSELF);
  CHECK_STATUS(mproc_pool_map_array(doing->pool, fn_noop, NULL, 0, 2, NULL, 0, 1, 0, &other),
               MPROC_ERROR_WOULD_BLOCK_ITSELF);
  CHECK_OK(mproc_pool_close(doing->pool));
  CHECK_STATUS(mproc_pool_join(doing->pool, 0), MPROC_ERROR_WOULD_BLOCK_ITSELF);
  CHECK_STATUS(mproc_pool_join(doing->pool, MPROC_FOREVER), MPROC_ERROR_WOULD_BLOCK_ITSELF);
  CHECK_STATUS(mproc_runtime_finish(MPROC_FOREVER), MPROC_ERROR_WOULD_BLOCK_ITSELF);
  doing->calls++;
}
static void CallbackIsKeptFromBlockingItself(void) {
  Doing doing = {.pool = ReadyPool(1)};
  Release(SubmitCalled(doing.pool, fn_mark, 0, 0, OnBlockItself, NULL, &doing));
  CHECK_SOON(doing.calls == 1);
  CHECK_OK(mproc_pool_join(doing.pool, TestLong()));  // it was closed
  CHECK_OK(mproc_pool_destroy(doing.pool));
}

static void OnOtherPool(mproc_future_t* future, void* user_data) {
  Doing* doing = user_data;
  mproc_future_t* applied = NULL;
  int64_t number = 5;
  (void)future;
  CHECK_OK(mproc_pool_apply(doing->pool, fn_square, &number, sizeof number, TestLong(), &applied));
  CHECK_EQ(NumberOf(applied), 25);
  Release(applied);
  CloseJoinDestroy(doing->pool);
  doing->calls++;
}
static void CallbackUsesAnotherPool(void) {
  mproc_pool_t* pool = ReadyPool(1);
  Doing doing = {.pool = ReadyPool(1)};
  mproc_future_t* future = SubmitCalled(pool, fn_mark, 0, 0, OnOtherPool, NULL, &doing);
  WaitEnd(future);
  CHECK_EQ(doing.calls, 1);
  Release(future);
  CloseJoinDestroy(pool);
}

static void OnCancelOthers(mproc_future_t* future, void* user_data) {
  Doing* doing = user_data;
  (void)future;
  for (int i = 0; i < 20; i++) doing->left += mproc_future_cancel(doing->others[i]) == MPROC_OK;
  doing->calls++;
}
static void CallbackCancels(void) {
  Calls calls = {0};
  Doing doing = {.pool = ReadyPool(1)};
  mproc_future_t* first = SubmitCalled(doing.pool, fn_gate, 0, 0, OnCancelOthers, NULL, &doing);
  // The worker waits in the second one while the callback of the first runs.
  for (int i = 0; i < 20; i++)
    doing.others[i] = SubmitCalled(doing.pool, fn_gate, 0, 1 + i, OnValue, OnError, &calls);
  NEED_SOON(Begun(0) == 1);
  OpenGate(0);
  WaitEnd(first);
  CHECK_EQ(doing.calls, 1);
  CHECK(doing.left >= 19);  // the worker may have begun one
  OpenAllGates();
  CHECK_OK(mproc_future_wait_all(doing.others, 20, TestLong()));
  CHECK_EQ(calls.errors, doing.left);
  CHECK_EQ(calls.values, 20 - doing.left);
  for (int i = 0; i < 20; i++) Release(doing.others[i]);
  Release(first);
  CloseJoinDestroy(doing.pool);
}

// A task that is cancelled in the queue is called back at once; those behind it are not touched.
static void CancelledInTheQueue(void) {
  enum { kTasks = 60 };
  static Calls calls[kTasks];
  mproc_future_t* futures[kTasks];
  mproc_pool_t* pool = ReadyPool(1);
  mproc_future_t* gate = SubmitWork(pool, fn_gate, 0, 1000);
  NEED_SOON(Begun(1000) == 1);
  for (int i = 0; i < kTasks; i++)
    futures[i] = SubmitCalled(pool, fn_mark, 0, i, OnValue, OnError, &calls[i]);
  for (int i = 0; i < kTasks; i += 7) {
    CHECK_OK(mproc_future_cancel(futures[i]));
    WaitEnd(futures[i]);
    CHECK_EQ(calls[i].errors, 1);
  }
  OpenGate(1000);
  NEED_OK(mproc_future_wait_all(futures, kTasks, TestLong()));
  for (int i = 0; i < kTasks; i++) {
    CHECK_EQ(Outcome(futures[i]), i % 7 ? MPROC_OUTCOME_VALUE : MPROC_OUTCOME_CANCELLED);
    CHECK_EQ(calls[i].values, i % 7 != 0);
    CHECK_EQ(calls[i].errors, i % 7 == 0);
    CHECK_EQ(Begun(i), i % 7 != 0);
    Release(futures[i]);
  }
  TakeReport(gate);
  CloseJoinDestroy(pool);
}

// Maps and tasks with callbacks, in one queue.
static void MapsAndTasksInOneQueue(void) {
  enum { kRounds = 150 };
  static Calls calls;
  mproc_future_t* maps[kRounds];
  mproc_pool_t* pool = ReadyPool(2);
  for (int i = 0; i < kRounds; i++) {
    NEED_OK(mproc_pool_map_async(pool, fn_noop, NULL, NULL, (size_t)(1 + i % 9), 1 + i % 3, 0, OnValue,
                                 OnError, &calls, &maps[i]));
    Release(SubmitCalled(pool, fn_mark, 0, i, OnValue, OnError, &calls));
    if (i % 5 == 4) mproc_future_cancel(maps[i - 2]);
  }
  NEED_OK(mproc_future_wait_all(maps, kRounds, TestLong()));
  CHECK_OK(mproc_pool_close(pool));
  CHECK_OK(mproc_pool_join(pool, TestLong()));
  CHECK_EQ(calls.values + calls.errors, 2 * kRounds);
  CHECK_EQ(CountBegun(0, kRounds), kRounds);
  for (int i = 0; i < kRounds; i++) Release(maps[i]);
  CHECK_OK(mproc_pool_destroy(pool));
}

static void OnTerminate(mproc_future_t* future, void* user_data) {
  Doing* doing = user_data;
  (void)future;
  CHECK_OK(mproc_pool_terminate(doing->pool));
  CHECK_OK(mproc_pool_terminate(doing->pool));
  CHECK_OK(mproc_pool_close(doing->pool));
  doing->calls++;
}
static void OnDestroy(mproc_future_t* future, void* user_data) {
  Doing* doing = user_data;
  uint64_t value;
  (void)future;
  CHECK_OK(mproc_pool_destroy(doing->pool));
  CHECK_STATUS(mproc_pool_destroy(doing->pool), MPROC_ERROR_STALE_HANDLE);
  CHECK_STATUS(mproc_pool_statistic(doing->pool, MPROC_POOL_STATISTIC_VALUES, &value),
               MPROC_ERROR_STALE_HANDLE);
  doing->calls++;
}
static void EndFromCallback(mproc_future_cb callback, int32_t cause, bool destroyed) {
  Calls calls = {0};
  Doing doing = {.pool = ReadyPool(2)};
  mproc_future_t* futures[30];
  for (int i = 0; i < 30; i++)
    futures[i] = SubmitCalled(doing.pool, fn_stubborn, 0, 1, OnValue, OnError, &calls);
  NEED_SOON(Begun(1) == 2);
  mproc_future_t* first = NULL;
  NEED_OK(mproc_pool_submit_callback(doing.pool, fn_noop, NULL, 0, MPROC_FOREVER, NULL, callback, &doing,
                                     &first));
  CHECK_OK(mproc_future_cancel(first));  // its callback ends the pool
  WaitEnd(first);
  CHECK_EQ(doing.calls, 1);
  NEED_OK(mproc_future_wait_all(futures, 30, TestLong()));
  CHECK_EQ(calls.values, 0);
  CHECK_EQ(calls.errors, 30);
  CHECK_EQ(calls.most_inside, 1);
  for (int i = 0; i < 30; i++) TakeEnd(futures[i], MPROC_OUTCOME_CANCELLED, cause);
  Release(first);
  if (destroyed) return;
  CHECK_OK(mproc_pool_join(doing.pool, TestLong()));
  CHECK_OK(mproc_pool_destroy(doing.pool));
}
static void CallbackTerminates(void) { EndFromCallback(OnTerminate, MPROC_CAUSE_TERMINATE, false); }
static void CallbackDestroys(void) { EndFromCallback(OnDestroy, MPROC_CAUSE_DESTROY, true); }

static void OnCloseTwice(mproc_future_t* future, void* user_data) {
  Doing* doing = user_data;
  (void)future;
  CHECK_OK(mproc_pool_close(doing->pool));
  CHECK_OK(mproc_pool_close(doing->pool));
  CHECK_STATUS(mproc_pool_submit(doing->pool, fn_noop, NULL, 0, 0, &future), MPROC_ERROR_NOT_RUNNING);
  doing->calls++;
}
static void CallbackCloses(void) {
  Doing doing = {.pool = ReadyPool(1)};
  mproc_future_t* first = SubmitCalled(doing.pool, fn_gate, 0, 0, OnCloseTwice, NULL, &doing);
  mproc_future_t* second = SubmitWork(doing.pool, fn_mark, 0, 1);
  OpenGate(0);
  CHECK_EQ(TakeNumber(second), 3);
  WaitEnd(first);
  CHECK_EQ(doing.calls, 1);
  Release(first);
  CHECK_OK(mproc_pool_join(doing.pool, TestLong()));
  CHECK_OK(mproc_pool_destroy(doing.pool));
}

static atomic_int g_others_known;
static void OnReleaseAll(mproc_future_t* future, void* user_data) {
  Doing* doing = user_data;
  (void)future;
  while (!atomic_load(&g_others_known)) TestRest(1000000);
  for (int i = 0; i < 20; i++) CHECK_OK(mproc_future_release(doing->others[i]));
  doing->calls++;
}
static void CallbackReleasesItsOwnFuture(void) {
  Doing doing = {.pool = ReadyPool(1)};
  for (int i = 1; i < 20; i++) doing.others[i] = SubmitWork(doing.pool, fn_gate, 0, i);
  doing.others[0] =
      SubmitCalled(doing.pool, fn_gate, 0, 0, OnReleaseAll, NULL, &doing);  // the handle's ownership
  atomic_store(&g_others_known, 1);
  OpenAllGates();
  CHECK_SOON(doing.calls == 1);
  CloseJoinDestroy(doing.pool);
  CHECK_EQ(CountBegun(0, 20), 20);
}

// ---- dispatch mode

static void RunInsideDispatch(void) {
  Calls calls = {0};
  mproc_future_t* futures[10];
  size_t ran = 77;
  mproc_pool_t* pool = CallbackPool(2, MPROC_CALLBACKS_DISPATCH);
  CHECK_OK(mproc_pool_dispatch(pool, 0, &ran));
  CHECK_EQ(ran, 0);
  for (int i = 0; i < 10; i++) futures[i] = SubmitCalled(pool, fn_mark, 0, i, OnValue, OnError, &calls);
  CHECK_OK(mproc_future_wait_all(futures, 10, TestLong()));  // ready at their outcome
  CHECK_EQ(calls.values, 0);
  for (int i = 0; i < 10; i++) CHECK_EQ(NumberOf(futures[i]), 2 * i + 1);
  CHECK_EQ(calls.values, 0);  // and no wait runs them
  CHECK_OK(mproc_pool_dispatch(pool, 3, &ran));
  CHECK_EQ(ran, 3);
  CHECK_EQ(calls.values, 3);
  CHECK_OK(mproc_pool_dispatch(pool, 0, NULL));
  CHECK_EQ(calls.values, 10);
  CHECK(pthread_equal(calls.thread, pthread_self()));
  CHECK_EQ(calls.other_thread, 0);
  CHECK_OK(mproc_pool_dispatch(pool, 5, &ran));
  CHECK_EQ(ran, 0);
  // Without anybody waiting, dispatch alone finds what has ended.
  mproc_future_t* more = SubmitCalled(pool, fn_refuse, 1, 0, OnValue, OnError, &calls);
  CHECK_SOON(mproc_pool_dispatch(pool, 0, &ran) == MPROC_OK && ran == 1);
  CHECK_EQ(calls.errors, 1);
  Release(more);
  for (int i = 0; i < 10; i++) Release(futures[i]);
  CloseJoinDestroy(pool);
}

static void OnDispatchAgain(mproc_future_t* future, void* user_data) {
  Doing* doing = user_data;
  mproc_future_t* other = NULL;
  (void)future;
  size_t ran = 77;
  CHECK_STATUS(mproc_pool_dispatch(doing->pool, 0, &ran), MPROC_ERROR_WOULD_BLOCK_ITSELF);
  CHECK_STATUS(mproc_pool_apply(doing->pool, fn_noop, NULL, 0, 0, &other), MPROC_ERROR_WOULD_BLOCK_ITSELF);
  doing->calls++;
  while (doing->left) TestRest(MPROC_MILLISECOND);
}
static void* DispatchInThread(void* pool) {
  CHECK_OK(mproc_pool_dispatch(pool, 0, NULL));
  return NULL;
}
static void OneDispatchAtATime(void) {
  Doing doing = {.pool = CallbackPool(1, MPROC_CALLBACKS_DISPATCH), .left = 1};
  pthread_t thread;
  mproc_future_t* future = SubmitCalled(doing.pool, fn_mark, 0, 0, OnDispatchAgain, NULL, &doing);
  WaitEnd(future);
  NEED(pthread_create(&thread, NULL, DispatchInThread, doing.pool) == 0);
  NEED_SOON(doing.calls == 1);
  CHECK_STATUS(mproc_pool_dispatch(doing.pool, 0, NULL), MPROC_ERROR_WOULD_BLOCK_ITSELF);
  CHECK_OK(mproc_pool_close(doing.pool));
  CHECK_OK(mproc_pool_join(doing.pool, TestLong()));  // does not wait for callbacks in this mode
  doing.left = 0;
  pthread_join(thread, NULL);
  CHECK_OK(mproc_pool_dispatch(doing.pool, 0, NULL));
  Release(future);
  CHECK_OK(mproc_pool_destroy(doing.pool));
  mproc_pool_t* pool = ReadyPool(1);  // with a thread of its own for callbacks
  CHECK_STATUS(mproc_pool_dispatch(pool, 0, NULL), MPROC_ERROR_INVALID_ARGUMENT);
  CloseJoinDestroy(pool);
}

static void DestroyRunsTheRest(void) {
  Calls calls = {0};
  mproc_pool_t* pool = CallbackPool(1, MPROC_CALLBACKS_DISPATCH);
  mproc_future_t* futures[10];
  for (int i = 0; i < 10; i++) {
    futures[i] = SubmitCalled(pool, i < 5 ? fn_mark : fn_stubborn, 0, i, OnValue, OnError, &calls);
  }
  NEED_SOON(Begun(5) == 1);
  CHECK_OK(mproc_pool_dispatch(pool, 2, NULL));
  CHECK_EQ(calls.values + calls.errors, 2);
  CHECK_OK(mproc_pool_destroy(pool));
  CHECK_EQ(calls.values, 5);
  CHECK_EQ(calls.errors, 5);
  CHECK_EQ(calls.other_thread, 0);
  CHECK(pthread_equal(calls.thread, pthread_self()));
  for (int i = 0; i < 10; i++) Release(futures[i]);
}

static void DispatchedCallbackDestroys(void) {
  Calls calls = {0};
  Doing doing = {.pool = CallbackPool(2, MPROC_CALLBACKS_DISPATCH)};
  mproc_future_t* first = SubmitCalled(doing.pool, fn_mark, 0, 0, OnDestroy, NULL, &doing);
  mproc_future_t* futures[10];
  WaitEnd(first);
  for (int i = 0; i < 10; i++)
    futures[i] = SubmitCalled(doing.pool, fn_stubborn, 0, 1, OnValue, OnError, &calls);
  NEED_SOON(Begun(1) == 2);
  size_t ran = 0;
  CHECK_OK(mproc_pool_dispatch(doing.pool, 1, &ran));
  CHECK_EQ(doing.calls, 1);
  NEED_OK(mproc_future_wait_all(futures, 10, TestLong()));
  CHECK_EQ(calls.errors, 10);  // what was left has run
  CHECK_STATUS(mproc_pool_dispatch(doing.pool, 0, NULL), MPROC_ERROR_STALE_HANDLE);
  for (int i = 0; i < 10; i++) TakeEnd(futures[i], MPROC_OUTCOME_CANCELLED, MPROC_CAUSE_DESTROY);
  Release(first);
}

// ---- threads of the library

static void LibraryThreadsBlockSignals(void) {
  Latch latch = {0};
  mproc_pool_t* pool = ReadyPool(1);
  mproc_future_t* future = SubmitCalled(pool, fn_mark, 0, 5, OnLatch, NULL, &latch);
  NEED_SOON(atomic_load(&latch.entered));
  DIR* list = opendir("/proc/self/task");
  NEED(list != NULL);
  int threads = 0, open = 0;
  for (struct dirent* entry; (entry = readdir(list));) {
    char path[300], text[8192];
    if (entry->d_name[0] == '.' || atoi(entry->d_name) == getpid()) continue;
    snprintf(path, sizeof path, "/proc/self/task/%s/status", entry->d_name);
    size_t size = TestRead(path, text, sizeof text - 1);
    text[size] = '\0';
    char* line = strstr(text, "SigBlk:");
    if (!line) continue;
    threads++;
    uint64_t blocked = strtoull(line + 7, NULL, 16);
    uint64_t never = UINT64_C(3) << 31;  // the C library's own
    const int free_to_come[] = {SIGKILL, SIGSTOP, SIGSEGV, SIGILL, SIGFPE, SIGBUS, SIGABRT, SIGTRAP};
    for (size_t i = 0; i < sizeof free_to_come / sizeof free_to_come[0]; i++) {
      never |= UINT64_C(1) << (free_to_come[i] - 1);
    }
    if ((blocked | never) != UINT64_MAX)
      open++, printf("  thread %s blocks %llx\n", entry->d_name, (long long)blocked);
  }
  closedir(list);
  CHECK(threads >= 2);  // engine, callbacks
  if (!TestSanitized()) CHECK_EQ(open, 0);
  atomic_store(&latch.leave, 1);
  WaitEnd(future);
  Release(future);
  CloseJoinDestroy(pool);
}

static void* WaitForIt(void* future) {
  WaitEnd(future);
  return NULL;
}
// Another thread leads: the result is read by that one, and this one has only waited.
static void FoundByDispatchAfterTheWait(void) {
  enum { kRounds = 20000 };
  Calls calls = {0};
  mproc_pool_t* pool = CallbackPool(2, MPROC_CALLBACKS_DISPATCH);
  mproc_future_t* gate = SubmitWork(pool, fn_gate, 0, 1);
  pthread_t leader;
  NEED(pthread_create(&leader, NULL, WaitForIt, gate) == 0);
  int late = 0;
  for (int i = 0; i < kRounds; i++) {
    mproc_future_t* future = SubmitCalled(pool, fn_mark, 0, 5, OnValue, OnError, &calls);
    size_t ran = 0;
    WaitEnd(future);
    CHECK_OK(mproc_pool_dispatch(pool, 0, &ran));
    late += ran != 1;
    Release(future);
  }
  CHECK_EQ(late, 0);
  CHECK_EQ(calls.values, kRounds);
  OpenGate(1);
  pthread_join(leader, NULL);
  Release(gate);
  CloseJoinDestroy(pool);
}

int main(int argc, char** argv) {
  static const TestCase cases[] = {
      {"one of the two, once per end", OneOfTheTwoOncePerEnd, 0},
      {"either may be null", EitherMayBeNull, 0},
      {"one at a time, on one thread", OneAtATimeOnOneThread, 0},
      {"in order of completion", InOrderOfCompletion, 0},
      {"others wait for the callback", OthersWaitForTheCallback, 0},
      {"borrowed future may be kept", BorrowedFutureMayBeKept, 0},
      {"callback submits", CallbackSubmits, 0},
      {"callback waits for others", CallbackWaitsForOthers, 0},
      {"callback is kept from blocking itself", CallbackIsKeptFromBlockingItself, 0},
      {"callback uses another pool", CallbackUsesAnotherPool, 0},
      {"callback cancels", CallbackCancels, 0},
      {"cancelled in the queue", CancelledInTheQueue, 0},
      {"maps and tasks in one queue", MapsAndTasksInOneQueue, 0},
      {"callback closes", CallbackCloses, 0},
      {"callback terminates", CallbackTerminates, 0},
      {"callback destroys", CallbackDestroys, 0},
      {"callback releases its own future", CallbackReleasesItsOwnFuture, 0},
      {"run inside dispatch", RunInsideDispatch, 0},
      {"found by dispatch after the wait", FoundByDispatchAfterTheWait, 0},
      {"one dispatch at a time", OneDispatchAtATime, 0},
      {"destroy runs the rest", DestroyRunsTheRest, 0},
      {"dispatched callback destroys", DispatchedCallbackDestroys, 0},
      {"library threads block signals", LibraryThreadsBlockSignals, 0},
  };
  return TEST_MAIN(argc, argv, cases);
}
