// SPDX-License-Identifier: MIT
// Futures: every question in every state, ownership, waiting for one, any and all, cancelling.
#include <pthread.h>

#include "host.h"

static int64_t Milliseconds(int64_t ns) { return ns / MPROC_MILLISECOND; }

// ---- states

// Asks everything about a task's future that has not ended.
static void CheckPending(mproc_future_t* future, uint32_t function) {
  const void* data = &data;
  const char* text = "untouched";
  char byte = 'u';
  int32_t successful = -5;
  size_t size = 77, count = 0;
  CHECK_STATUS(mproc_future_ready(future), MPROC_ERROR_NOT_READY);
  CHECK_STATUS(mproc_future_successful(future, &successful), MPROC_ERROR_NOT_READY);
  CHECK_STATUS(mproc_future_result(future, &data, &size), MPROC_ERROR_NOT_READY);
  CHECK_STATUS(mproc_future_copy_result(future, &byte, 1, &size), MPROC_ERROR_NOT_READY);
  CHECK_STATUS(mproc_future_item(future, 0, &data, &size), MPROC_ERROR_NOT_READY);
  CHECK_STATUS(mproc_future_item_error_message(future, 0, &text), MPROC_ERROR_NOT_READY);
  CHECK_STATUS(mproc_future_error(future), MPROC_ERROR_NOT_READY);
  CHECK_STATUS(mproc_future_error_message(future, &text), MPROC_ERROR_NOT_READY);
  CHECK_STATUS(mproc_future_error_type(future, &text), MPROC_ERROR_NOT_READY);
  CHECK_STATUS(mproc_future_error_trace(future, &text), MPROC_ERROR_NOT_READY);
  CHECK_EQ(Outcome(future), MPROC_OUTCOME_PENDING);
  CHECK_OK(mproc_future_item_count(future, &count));
  CHECK_EQ(count, 1);
  CHECK(Info(future, MPROC_FUTURE_INFO_TASK_ID) > 0);
  CHECK_EQ(Info(future, MPROC_FUTURE_INFO_FUNCTION_ID), function);
  CHECK_EQ(Info(future, MPROC_FUTURE_INFO_CAUSE), MPROC_CAUSE_NONE);
  CHECK_EQ(Info(future, MPROC_FUTURE_INFO_SIGNAL), 0);
  CHECK_EQ(Info(future, MPROC_FUTURE_INFO_ERROR_CODE), 0);
  // Out parameters are written on success only.
  CHECK(data == (const void*)&data && successful == -5 && size == 77 && byte == 'u');
  CHECK_HAS(text, "untouched");
}

typedef struct {
  int32_t outcome, status, cause, signal, exit_code;
  int64_t error_code;  // INT64_MIN: any
  bool ran;            // a worker is named
} End;

// Asks everything about a task's future that has ended, twice: it stays so for ever.
static void CheckEnded(mproc_future_t* future, const End* end) {
  for (int round = 0; round < 2; round++) {
    const void* data = NULL;
    const char *message = NULL, *type = NULL, *trace = NULL;
    char bytes[256];
    int32_t successful = -1;
    size_t size = 0;
    bool value = end->outcome == MPROC_OUTCOME_VALUE;
    CHECK_OK(mproc_future_ready(future));
    CHECK_OK(mproc_future_wait(future, 0));
    CHECK_EQ(Outcome(future), end->outcome);
    CHECK_OK(mproc_future_successful(future, &successful));
    CHECK_EQ(successful, value);
    CHECK_STATUS(mproc_future_error(future), end->status);
    CHECK_STATUS(mproc_future_result(future, &data, &size), end->status);
    CHECK_STATUS(mproc_future_copy_result(future, bytes, sizeof bytes, &size), end->status);
    int32_t text = value ? MPROC_ERROR_NO_ERROR : MPROC_OK;
    CHECK_STATUS(mproc_future_error_message(future, &message), text);
    CHECK_STATUS(mproc_future_error_type(future, &type), text);
    CHECK_STATUS(mproc_future_error_trace(future, &trace), text);
    if (!value) CHECK(message && type && trace);
    CHECK_EQ(Info(future, MPROC_FUTURE_INFO_CAUSE), end->cause);
    CHECK_EQ(Info(future, MPROC_FUTURE_INFO_SIGNAL), end->signal);
    CHECK_EQ(Info(future, MPROC_FUTURE_INFO_EXIT_CODE), end->exit_code);
    int64_t code = Info(future, MPROC_FUTURE_INFO_ERROR_CODE);
    if (end->error_code != INT64_MIN) CHECK_EQ(code, end->error_code);
    if (end->ran) {
      CHECK(Info(future, MPROC_FUTURE_INFO_WORKER_PID) > 1);
      CHECK(Info(future, MPROC_FUTURE_INFO_WORKER_NUMBER) > 0);
    }
    CHECK_STATUS(mproc_future_cancel(future), MPROC_ERROR_ALREADY_STARTED);
  }
}

static void EveryQuestionInEveryState(void) {
  mproc_pool_t* pool = ReadyPool(1);
  mproc_future_t* running = SubmitWork(pool, fn_gate, 0, 1);
  mproc_future_t* queued = SubmitWork(pool, fn_gate, 0, 2);
  mproc_future_t* cancelled = SubmitWork(pool, fn_gate, 0, 3);
  NEED_SOON(Begun(1) == 1);
  CheckPending(running, fn_gate);
  CheckPending(queued, fn_gate);
  CHECK(Info(running, MPROC_FUTURE_INFO_TASK_ID) != Info(queued, MPROC_FUTURE_INFO_TASK_ID));
  CHECK_OK(mproc_future_cancel(cancelled));
  CheckEnded(cancelled, &(End){MPROC_OUTCOME_CANCELLED, MPROC_ERROR_CANCELLED, MPROC_CAUSE_CALL, 0, 0,
                               MPROC_ERROR_CANCELLED, false});
  CheckPending(queued, fn_gate);
  OpenAllGates();
  WaitEnd(queued);
  CheckEnded(running, &(End){MPROC_OUTCOME_VALUE, MPROC_OK, MPROC_CAUSE_NONE, 0, 0, 0, true});
  CheckEnded(queued, &(End){MPROC_OUTCOME_VALUE, MPROC_OK, MPROC_CAUSE_NONE, 0, 0, 0, true});
  CHECK_EQ(Begun(3), 0);
  mproc_future_t* failed = SubmitNumber(pool, fn_fail, 31);
  WaitEnd(failed);
  CheckEnded(failed, &(End){MPROC_OUTCOME_ERROR, MPROC_ERROR_TASK, MPROC_CAUSE_NONE, 0, 0, 31, true});
  mproc_future_t* killed = SubmitNumber(pool, fn_raise, SIGKILL);
  WaitEnd(killed);
  CheckEnded(killed, &(End){MPROC_OUTCOME_WORKER_LOST, MPROC_ERROR_WORKER_LOST, MPROC_CAUSE_SIGNAL, SIGKILL,
                            0, INT64_MIN, true});
  mproc_future_t* exited = SubmitNumber(pool, fn_exit, 3);
  WaitEnd(exited);
  CheckEnded(exited, &(End){MPROC_OUTCOME_WORKER_LOST, MPROC_ERROR_WORKER_LOST, MPROC_CAUSE_EXIT, 0, 3,
                            INT64_MIN, true});
  mproc_future_t* terminated = SubmitWork(pool, fn_stubborn, 0, 4);
  NEED_SOON(Begun(4) == 1);
  CHECK_OK(mproc_pool_terminate(pool));
  WaitEnd(terminated);
  CheckEnded(terminated, &(End){MPROC_OUTCOME_CANCELLED, MPROC_ERROR_CANCELLED, MPROC_CAUSE_TERMINATE, 0, 0,
                                MPROC_ERROR_CANCELLED, false});
  CHECK_OK(mproc_pool_destroy(pool));
  // Futures outlive their pool, and the runtime.
  CHECK_OK(mproc_runtime_finish(TestLong()));
  CHECK_EQ(ReportOf(queued).value, 2);
  CHECK_HAS(Message(failed), "as it was told to");
  mproc_future_t* all[] = {running, queued, cancelled, failed, killed, exited, terminated};
  for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) Release(all[i]);
}

static void ErrorsCarryDetails(void) {
  const char* text = NULL;
  mproc_pool_t* pool = ReadyPool(1);
  mproc_future_t* future = SubmitNumber(pool, fn_fail, -12345);
  WaitEnd(future);
  CHECK_EQ(Info(future, MPROC_FUTURE_INFO_ERROR_CODE), -12345);
  CHECK_OK(mproc_future_error_type(future, &text));
  CHECK(strcmp(text, "TestError") == 0);
  CHECK(strcmp(Message(future), "it failed as it was told to") == 0);
  CHECK_OK(mproc_future_error_trace(future, &text));
  CHECK(strcmp(text, "in fail\nin functions.c") == 0);
  Release(future);
  future = SubmitNumber(pool, fn_refuse, 99);  // a bare number
  WaitEnd(future);
  CHECK_EQ(Outcome(future), MPROC_OUTCOME_ERROR);
  CHECK_EQ(Info(future, MPROC_FUTURE_INFO_ERROR_CODE), 99);
  CHECK_OK(mproc_future_error_trace(future, &text));
  CHECK(strcmp(text, "") == 0);
  Release(future);
  future = Submit(pool, fn_fail_quietly, NULL, 0);  // returned 0 after it had failed
  WaitEnd(future);
  CHECK_EQ(Outcome(future), MPROC_OUTCOME_ERROR);
  CHECK(Info(future, MPROC_FUTURE_INFO_ERROR_CODE) != 0);
  CHECK_HAS(Message(future), "failed all the same");
  Release(future);
  future = SubmitNumber(pool, fn_fail, 7);  // an earlier failure leaves nothing behind
  TakeEnd(future, MPROC_OUTCOME_ERROR, MPROC_CAUSE_NONE);
  future = Submit(pool, fn_echo, "x", 1);
  TakeEnd(future, MPROC_OUTCOME_VALUE, MPROC_CAUSE_NONE);
  CloseJoinDestroy(pool);
}

static void ValuesAreCopied(void) {
  char buffer[64];
  size_t size = 0;
  const void* data = NULL;
  mproc_pool_t* pool = ReadyPool(1);
  char input[50];
  for (int i = 0; i < 50; i++) input[i] = (char)('a' + i % 26);
  mproc_future_t* future = Submit(pool, fn_echo, input, sizeof input);
  memset(input, '?', sizeof input);  // was copied
  WaitEnd(future);
  memset(buffer, '.', sizeof buffer);
  CHECK_STATUS(mproc_future_copy_result(future, buffer, 49, &size), MPROC_ERROR_BUFFER_TOO_SMALL);
  CHECK_EQ(size, 50);
  CHECK(buffer[0] == '.' && buffer[49] == '.');
  CHECK_STATUS(mproc_future_copy_result(future, NULL, 0, &size), MPROC_ERROR_BUFFER_TOO_SMALL);
  CHECK_STATUS(mproc_future_copy_result(future, buffer, 0, NULL), MPROC_ERROR_BUFFER_TOO_SMALL);
  CHECK_STATUS(mproc_future_copy_result(future, NULL, 50, &size), MPROC_ERROR_INVALID_ARGUMENT);
  size = 0;
  CHECK_OK(mproc_future_copy_result(future, buffer, 50, &size));  // nothing was lost
  CHECK_EQ(size, 50);
  CHECK(buffer[0] == 'a' && buffer[49] == 'x' && buffer[50] == '.');
  CHECK_OK(mproc_future_copy_result(future, buffer, sizeof buffer, NULL));
  CHECK_OK(mproc_future_result(future, &data, &size));
  CHECK(size == 50 && memcmp(data, buffer, 50) == 0);
  CHECK_STATUS(mproc_future_result(future, NULL, &size), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_future_result(future, &data, NULL), MPROC_ERROR_INVALID_ARGUMENT);
  Release(future);
  future = Submit(pool, fn_noop, NULL, 0);  // no reply is an empty value
  WaitEnd(future);
  size = 9;
  CHECK_OK(mproc_future_result(future, &data, &size));
  CHECK_EQ(size, 0);
  size = 9;
  CHECK_OK(mproc_future_copy_result(future, NULL, 0, &size));
  CHECK_EQ(size, 0);
  Release(future);
  future = Submit(pool, fn_replies, NULL, 0);  // the last reply counts
  WaitEnd(future);
  CHECK_OK(mproc_future_result(future, &data, &size));
  CHECK(size == 4 && memcmp(data, "last", 4) == 0);
  Release(future);
  future = Submit(pool, fn_bad_replies, NULL, 0);
  WaitEnd(future);
  int32_t statuses[3];
  ReadValue(future, statuses, sizeof statuses);
  CHECK_EQ(statuses[0], MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_EQ(statuses[1], MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_EQ(statuses[2], MPROC_OK);
  Release(future);
  CloseJoinDestroy(pool);
}

static void CallsKnowTheirTask(void) {
  mproc_pool_t* pool = ReadyPool(1);
  for (int i = 0; i < 3; i++) {
    About about;
    mproc_future_t* future = Submit(pool, fn_about, NULL, 0);
    WaitEnd(future);
    ReadValue(future, &about, sizeof about);
    CHECK_EQ(about.task, Info(future, MPROC_FUTURE_INFO_TASK_ID));
    CHECK_EQ(about.function, fn_about);
    CHECK_EQ(about.function, Info(future, MPROC_FUTURE_INFO_FUNCTION_ID));
    CHECK_EQ(about.number, Info(future, MPROC_FUTURE_INFO_WORKER_NUMBER));
    CHECK_EQ(about.pid, Info(future, MPROC_FUTURE_INFO_WORKER_PID));
    CHECK_EQ(about.pid, WorkerPid(pool, 0));
    CHECK_EQ(about.number, 1);
    CHECK_EQ(about.cancelled, 0);
    CHECK_EQ(about.item, 0);
    Release(future);
  }
  CloseJoinDestroy(pool);
}

// ---- ownership

static void OwnersAreCounted(void) {
  const void* data;
  size_t size;
  int32_t outcome;
  mproc_pool_t* pool = ReadyPool(1);
  mproc_future_t* future = SubmitNumber(pool, fn_square, 7);
  WaitEnd(future);
  CHECK_OK(mproc_future_retain(future));
  CHECK_OK(mproc_future_retain(future));
  CHECK_OK(mproc_future_release(future));
  CHECK_OK(mproc_future_release(future));
  CHECK_EQ(NumberOf(future), 49);
  CHECK_OK(mproc_future_release(future));
  CHECK_STATUS(mproc_future_release(future), MPROC_ERROR_STALE_HANDLE);
  CHECK_STATUS(mproc_future_ready(future), MPROC_ERROR_STALE_HANDLE);
  CHECK_STATUS(mproc_future_result(future, &data, &size), MPROC_ERROR_STALE_HANDLE);
  CHECK_STATUS(mproc_future_outcome(future, &outcome), MPROC_ERROR_STALE_HANDLE);
  CHECK_STATUS(mproc_future_retain(future), MPROC_ERROR_STALE_HANDLE);
  CHECK_STATUS(mproc_future_cancel(future), MPROC_ERROR_STALE_HANDLE);
  CHECK_STATUS(mproc_future_wait(future, 0), MPROC_ERROR_STALE_HANDLE);
  CHECK_STATUS(mproc_future_wait_all(&future, 1, 0), MPROC_ERROR_STALE_HANDLE);
  CHECK_STATUS(mproc_future_wait_any(&future, 1, 0, &size), MPROC_ERROR_STALE_HANDLE);
  CHECK_OK(mproc_future_release(NULL));
  // A task whose futures are all gone still runs.
  future = SubmitWork(pool, fn_gate, 0, 1);
  Release(future);
  future = SubmitWork(pool, fn_mark, 0, 2);
  Release(future);
  OpenAllGates();
  CHECK_OK(mproc_pool_close(pool));
  CHECK_OK(mproc_pool_join(pool, TestLong()));
  CHECK_EQ(Ended(1), 1);
  CHECK_EQ(Ended(2), 1);
  CHECK_OK(mproc_pool_destroy(pool));
}

static void WrongHandlesAreTold(void) {
  int number = 0;
  int32_t outcome;
  int64_t value;
  size_t size, index;
  const void* data;
  const char* text;
  mproc_pool_t* pool = ReadyPool(1);
  mproc_pool_options_t* options = Options(1);
  mproc_future_t* future = SubmitNumber(pool, fn_square, 3);
  mproc_future_t* wrong[] = {(mproc_future_t*)&number, (mproc_future_t*)pool, (mproc_future_t*)(intptr_t)-8,
                             (mproc_future_t*)options, (mproc_future_t*)((char*)future + 8)};
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    CHECK_STATUS(mproc_future_wait(wrong[i], 0), MPROC_ERROR_INVALID_HANDLE);
    CHECK_STATUS(mproc_future_ready(wrong[i]), MPROC_ERROR_INVALID_HANDLE);
    CHECK_STATUS(mproc_future_release(wrong[i]), MPROC_ERROR_INVALID_HANDLE);
    CHECK_STATUS(mproc_future_retain(wrong[i]), MPROC_ERROR_INVALID_HANDLE);
    CHECK_STATUS(mproc_future_cancel(wrong[i]), MPROC_ERROR_INVALID_HANDLE);
    CHECK_STATUS(mproc_future_wait_all(&wrong[i], 1, 0), MPROC_ERROR_INVALID_HANDLE);
  }
  CHECK_STATUS(mproc_future_wait(NULL, 0), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_future_ready(NULL), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_future_error(NULL), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_future_cancel(NULL), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_future_retain(NULL), MPROC_ERROR_INVALID_ARGUMENT);
  WaitEnd(future);
  CHECK_STATUS(mproc_future_outcome(future, NULL), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_future_outcome(NULL, &outcome), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_future_successful(future, NULL), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_future_item_count(future, NULL), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_future_error_message(future, NULL), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_future_info(future, MPROC_FUTURE_INFO_CAUSE, NULL), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_future_info(future, 0, &value), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_future_info(future, 14, &value), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_future_item(future, 0, &data, &size), MPROC_ERROR_INVALID_ARGUMENT);  // of no map
  CHECK_STATUS(mproc_future_item_error_message(future, 0, &text), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_future_wait_any(NULL, 1, 0, &index), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_future_wait_any(&future, 1, 0, NULL), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_future_wait_any(&future, 0, 0, &index), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_future_wait_all(NULL, 1, 0), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_OK(mproc_future_wait_all(NULL, 0, 0));
  CHECK_EQ(NumberOf(future), 9);
  Release(future);
  CHECK_OK(mproc_pool_options_destroy(options));
  CloseJoinDestroy(pool);
}

// ---- waiting

static void WaitsKeepTheirLimits(void) {
  size_t index = 77;
  mproc_pool_t* pool = ReadyPool(2);
  mproc_future_t* futures[2] = {SubmitWork(pool, fn_gate, 0, 1), SubmitWork(pool, fn_gate, 0, 2)};
  NEED_SOON(CountBegun(1, 2) == 2);
  const int64_t limits[] = {0, -1, -MPROC_SECOND, INT64_MIN};  // none of these waits
  int64_t begin = TestNow();
  for (int i = 0; i < 4; i++) {
    CHECK_STATUS(mproc_future_wait(futures[0], limits[i]), MPROC_ERROR_TIMED_OUT);
    CHECK_STATUS(mproc_future_wait_any(futures, 2, limits[i], &index), MPROC_ERROR_TIMED_OUT);
    CHECK_STATUS(mproc_future_wait_all(futures, 2, limits[i]), MPROC_ERROR_TIMED_OUT);
  }
  CHECK(TestNow() - begin < 500 * MPROC_MILLISECOND * TestSlowness());
  CHECK_EQ(index, 77);
  for (int way = 0; way < 3; way++) {
    int64_t limit = 60 * MPROC_MILLISECOND;
    begin = TestNow();
    if (way == 0) CHECK_STATUS(mproc_future_wait(futures[0], limit), MPROC_ERROR_TIMED_OUT);
    if (way == 1) CHECK_STATUS(mproc_future_wait_any(futures, 2, limit, &index), MPROC_ERROR_TIMED_OUT);
    if (way == 2) CHECK_STATUS(mproc_future_wait_all(futures, 2, limit), MPROC_ERROR_TIMED_OUT);
    CHECK(Milliseconds(TestNow() - begin) >= 60);
    CHECK(Milliseconds(TestNow() - begin) < 1000 * TestSlowness());
  }
  OpenGate(2);
  CHECK_OK(mproc_future_wait_any(futures, 2, TestLong(), &index));
  CHECK_EQ(index, 1);
  CHECK_OK(mproc_future_wait_any(futures, 2, 0, &index));  // ready: the limit does not matter
  CHECK_OK(mproc_future_wait(futures[1], -1));
  CHECK_STATUS(mproc_future_wait_all(futures, 2, 0), MPROC_ERROR_TIMED_OUT);
  OpenGate(1);
  CHECK_OK(mproc_future_wait_all(futures, 2, MPROC_FOREVER));
  CHECK_OK(mproc_future_wait_any(futures, 2, MPROC_FOREVER, &index));
  CHECK_EQ(index, 0);  // the first of several
  Release(futures[0]);
  Release(futures[1]);
  CloseJoinDestroy(pool);
}

static void AnyAndAllOfManyPools(void) {
  mproc_pool_t* pools[3];
  mproc_future_t* futures[8] = {NULL};
  mproc_future_t* nothing[3] = {NULL, NULL, NULL};
  size_t index = 77;
  for (int i = 0; i < 3; i++) pools[i] = ReadyPool(1);
  CHECK_STATUS(mproc_future_wait_any(nothing, 3, 0, &index), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_OK(mproc_future_wait_all(nothing, 3, 0));
  for (int i = 0; i < 3; i++)
    futures[2 * i + 1] = SubmitWork(pools[i], fn_gate, 0, i);  // 0, 2, 4, 6, 7: null
  NEED_SOON(CountBegun(0, 3) == 3);
  CHECK_STATUS(mproc_future_wait_any(futures, 8, 20 * MPROC_MILLISECOND, &index), MPROC_ERROR_TIMED_OUT);
  CHECK_STATUS(mproc_future_wait_all(futures, 8, 20 * MPROC_MILLISECOND), MPROC_ERROR_TIMED_OUT);
  mproc_future_t* left[8];
  memcpy(left, futures, sizeof left);
  for (int i = 2; i >= 0; i--) {  // the last pool's first
    OpenGate(i);
    CHECK_OK(mproc_future_wait_any(left, 8, TestLong(), &index));
    CHECK_EQ(index, 2 * i + 1);
    left[2 * i + 1] = NULL;
    if (i > 0) CHECK_STATUS(mproc_future_wait_all(futures, 8, 0), MPROC_ERROR_TIMED_OUT);
  }
  CHECK_OK(mproc_future_wait_all(futures, 8, TestLong()));
  futures[0] = futures[5];  // the same twice
  CHECK_OK(mproc_future_wait_any(futures, 8, 0, &index));
  CHECK_EQ(index, 0);
  CHECK_OK(mproc_future_wait_all(futures, 8, 0));
  for (int i = 0; i < 3; i++) {
    CHECK_EQ(TakeReport(futures[2 * i + 1]).value, i);
    CloseJoinDestroy(pools[i]);
  }
}

// A thread that waits for futures of several pools leads in none of them.
static void AnyOfTwoPoolsWithManyTasks(void) {
  enum { kTasks = 400 };
  mproc_pool_t* pools[2] = {ReadyPool(1), ReadyPool(1)};
  mproc_future_t* futures[kTasks];
  bool done[kTasks] = {false};
  int64_t values[kTasks];
  mproc_future_t* left[kTasks];
  for (int i = 0; i < kTasks; i++) left[i] = futures[i] = SubmitNumber(pools[i % 2], fn_square, i);
  for (int i = 0; i < kTasks; i++) {
    size_t index = kTasks;
    NEED_OK(mproc_future_wait_any(left, kTasks, TestLong(), &index));
    NEED(index < kTasks && left[index] && !done[index]);
    done[index] = true;
    left[index] = NULL;
    values[index] = TakeNumber(futures[index]);
  }
  for (int i = 0; i < kTasks; i++) CHECK_EQ(values[i], (int64_t)i * i);
  for (int i = 0; i < 2; i++) CloseJoinDestroy(pools[i]);
}

typedef struct {
  pthread_t thread;
  mproc_pool_t* pool;
  mproc_future_t* future;
  int number, rounds;
  int32_t status;
  int64_t sum;
} Waiter;

static void* WaitForOne(void* argument) {
  Waiter* waiter = argument;
  waiter->status = mproc_future_wait(waiter->future, TestLong());
  return NULL;
}
static void* WorkAlone(void* argument) {
  Waiter* waiter = argument;
  for (int i = 0; i < waiter->rounds; i++) {
    int64_t number = waiter->number * 1000 + i;
    mproc_future_t* pair[2] = {SubmitNumber(waiter->pool, fn_square, number),
                               Submit(waiter->pool, fn_echo, &number, sizeof number)};
    size_t index;
    if (i % 3 == 0) NEED_OK(mproc_future_wait(pair[1], TestLong()));
    if (i % 3 == 1) NEED_OK(mproc_future_wait_any(pair, 2, TestLong(), &index));
    NEED_OK(mproc_future_wait_all(pair, 2, TestLong()));
    CHECK_EQ(TakeNumber(pair[0]), number * number);
    CHECK_EQ(TakeNumber(pair[1]), number);
    waiter->sum++;
  }
  return NULL;
}

static void ManyThreadsOneFuture(void) {
  enum { kThreads = 8 };
  Waiter waiters[kThreads];
  mproc_pool_t* pool = ReadyPool(2);
  for (int round = 0; round < 20; round++) {
    mproc_future_t* future = SubmitWork(pool, fn_gate, 0, round);
    for (int i = 0; i < kThreads; i++) {
      waiters[i] = (Waiter){.future = future, .status = 1};
      NEED(pthread_create(&waiters[i].thread, NULL, WaitForOne, &waiters[i]) == 0);
    }
    if (round % 2) TestRest(5 * MPROC_MILLISECOND);  // asleep, or on their way there
    OpenGate(round);
    for (int i = 0; i < kThreads; i++) {
      pthread_join(waiters[i].thread, NULL);
      CHECK_STATUS(waiters[i].status, MPROC_OK);
    }
    CHECK_EQ(ReportOf(future).value, round);
    Release(future);
  }
  CloseJoinDestroy(pool);
}

static void ManyThreadsOwnFutures(void) {
  enum { kThreads = 8 };
  Waiter waiters[kThreads + 1];
  mproc_pool_t* pool = ReadyPool(3);
  // One thread waits for long: it may lead for the others, and must not hold them up, nor they it.
  waiters[kThreads] = (Waiter){.future = SubmitWork(pool, fn_gate, 0, 200000), .status = 1};
  NEED_SOON(Begun(200000) == 1);
  NEED(pthread_create(&waiters[kThreads].thread, NULL, WaitForOne, &waiters[kThreads]) == 0);
  for (int i = 0; i < kThreads; i++) {
    waiters[i] = (Waiter){.pool = pool, .number = i + 1, .rounds = TestSanitized() ? 60 : 300};
    NEED(pthread_create(&waiters[i].thread, NULL, WorkAlone, &waiters[i]) == 0);
  }
  for (int i = 0; i < kThreads; i++) {
    pthread_join(waiters[i].thread, NULL);
    CHECK_EQ(waiters[i].sum, waiters[i].rounds);
  }
  OpenGate(200000);
  pthread_join(waiters[kThreads].thread, NULL);
  CHECK_STATUS(waiters[kThreads].status, MPROC_OK);
  Release(waiters[kThreads].future);
  CloseJoinDestroy(pool);
}

// ---- signals of the host

static atomic_int g_handled;
static pthread_t g_handled_on;
static void OnSignal(int number) {
  (void)number;
  g_handled_on = pthread_self();
  atomic_fetch_add(&g_handled, 1);
}
// Again and again: the wait looks for news between its sleeps, and a signal that comes then ends none.
static void* SignalUntilTold(void* told) {
  while (!atomic_load((atomic_int*)told)) {
    TestRest(20 * MPROC_MILLISECOND);
    kill(getpid(), SIGUSR1);
  }
  return NULL;
}

static void SignalsInterruptWaits(void) {
  const int flags[] = {0, SA_RESTART};
  size_t index;
  mproc_pool_t* pool = ReadyPool(1);
  mproc_pool_t* other = ReadyPool(1);
  mproc_future_t* futures[2] = {SubmitWork(pool, fn_gate, 0, 1), SubmitWork(other, fn_gate, 0, 2)};
  sigset_t all, old;
  sigfillset(&all);
  for (int round = 0; round < 8; round++) {
    struct sigaction action = {.sa_handler = OnSignal, .sa_flags = flags[round % 2]};
    NEED(sigaction(SIGUSR1, &action, NULL) == 0);
    pthread_t thread;
    pthread_sigmask(SIG_SETMASK, &all, &old);  // only the main thread takes signals, and the library's none
    atomic_int told = 0;
    NEED(pthread_create(&thread, NULL, SignalUntilTold, &told) == 0);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    int before = atomic_load(&g_handled);
    int32_t status = MPROC_OK;
    if (round / 2 == 0) status = mproc_future_wait(futures[0], TestLong());
    if (round / 2 == 1) status = mproc_future_wait_any(futures, 2, TestLong(), &index);
    if (round / 2 == 2) status = mproc_future_wait_all(futures, 2, TestLong());
    if (round / 2 == 3) status = mproc_future_wait_all(futures, 1, TestLong());
    atomic_store(&told, 1);
    CHECK_STATUS(status, MPROC_ERROR_INTERRUPTED);
    CHECK(atomic_load(&g_handled) > before);
    CHECK(pthread_equal(g_handled_on, pthread_self()));
    pthread_join(thread, NULL);
  }
  OpenAllGates();
  CHECK_OK(mproc_future_wait_all(futures, 2, TestLong()));  // nothing was lost
  for (int i = 0; i < 2; i++) Release(futures[i]);
  CloseJoinDestroy(pool);
  CloseJoinDestroy(other);
}

// ---- cancelling

static void CancelTakesOutWhatHasNotBegun(void) {
  enum { kTasks = 30 };
  mproc_future_t* futures[kTasks];
  mproc_pool_t* pool = ReadyPool(1);
  for (int i = 0; i < kTasks; i++) futures[i] = SubmitWork(pool, fn_gate, 0, i);
  NEED_SOON(Begun(0) == 1);
  CHECK_STATUS(mproc_future_cancel(futures[0]), MPROC_ERROR_ALREADY_STARTED);  // runs
  for (int i = 1; i < kTasks; i += 2) {  // in the queue, or with the worker already
    CHECK_OK(mproc_future_cancel(futures[i]));
    CHECK_OK(mproc_future_ready(futures[i]));
    CHECK_STATUS(mproc_future_cancel(futures[i]), MPROC_ERROR_ALREADY_STARTED);
    CHECK_STATUS(mproc_future_error(futures[i]), MPROC_ERROR_CANCELLED);
    CHECK_EQ(Info(futures[i], MPROC_FUTURE_INFO_CAUSE), MPROC_CAUSE_CALL);
  }
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_CANCELLED), kTasks / 2);
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_QUEUED), kTasks / 2 - 1);
  OpenAllGates();
  CHECK_OK(mproc_future_wait_all(futures, kTasks, TestLong()));
  for (int i = 0; i < kTasks; i++) {
    CHECK_EQ(Begun(i), i % 2 == 0);
    CHECK_EQ(Outcome(futures[i]), i % 2 ? MPROC_OUTCOME_CANCELLED : MPROC_OUTCOME_VALUE);
    CHECK_STATUS(mproc_future_cancel(futures[i]), MPROC_ERROR_ALREADY_STARTED);
    Release(futures[i]);
  }
  CloseJoinDestroy(pool);
}

// Of tasks that begin while they are cancelled, each either runs or is cancelled.
static void CancelRacesWithWorkers(void) {
  enum { kTasks = 2000 };
  static mproc_future_t* futures[kTasks];
  int cancelled = 0;
  mproc_pool_t* pool = ReadyPool(2);
  for (int i = 0; i < kTasks; i++) {
    futures[i] = SubmitWork(pool, fn_mark, 0, i);
    if (i < 20) continue;
    int32_t status = mproc_future_cancel(futures[i - i % 20]);
    CHECK(status == MPROC_OK || status == MPROC_ERROR_ALREADY_STARTED);
    cancelled += status == MPROC_OK;
  }
  for (int i = kTasks - 1; i >= 0; i -= 3) cancelled += mproc_future_cancel(futures[i]) == MPROC_OK;
  CHECK_OK(mproc_future_wait_all(futures, kTasks, TestLong()));
  int seen = 0;
  for (int i = 0; i < kTasks; i++) {
    int32_t outcome = Outcome(futures[i]);
    seen += outcome == MPROC_OUTCOME_CANCELLED;
    CHECK_EQ(Begun(i), outcome == MPROC_OUTCOME_VALUE);
    if (outcome == MPROC_OUTCOME_VALUE) CHECK_EQ(NumberOf(futures[i]), 2 * i + 1);
    Release(futures[i]);
  }
  CHECK_EQ(seen, cancelled);
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_CANCELLED), cancelled);
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_VALUES), kTasks - cancelled);
  CloseJoinDestroy(pool);
}

static void WaitersSeeCancellation(void) {
  mproc_pool_t* pool = ReadyPool(1);
  mproc_future_t* running = SubmitWork(pool, fn_gate, 0, 0);
  mproc_future_t* queued = SubmitWork(pool, fn_gate, 0, 1);
  NEED_SOON(Begun(0) == 1);
  Waiter waiters[2] = {{.future = queued, .status = 1}, {.future = queued, .status = 1}};
  for (int i = 0; i < 2; i++) NEED(pthread_create(&waiters[i].thread, NULL, WaitForOne, &waiters[i]) == 0);
  TestRest(20 * MPROC_MILLISECOND);
  CHECK_OK(mproc_future_cancel(queued));
  for (int i = 0; i < 2; i++) {
    pthread_join(waiters[i].thread, NULL);
    CHECK_STATUS(waiters[i].status, MPROC_OK);
  }
  OpenAllGates();
  TakeEnd(queued, MPROC_OUTCOME_CANCELLED, MPROC_CAUSE_CALL);
  TakeEnd(running, MPROC_OUTCOME_VALUE, MPROC_CAUSE_NONE);
  CloseJoinDestroy(pool);
}

int main(int argc, char** argv) {
  static const TestCase cases[] = {
      {"every question in every state", EveryQuestionInEveryState, 0},
      {"errors carry details", ErrorsCarryDetails, 0},
      {"values are copied", ValuesAreCopied, 0},
      {"calls know their task", CallsKnowTheirTask, 0},
      {"owners are counted", OwnersAreCounted, 0},
      {"wrong handles are told", WrongHandlesAreTold, 0},
      {"waits keep their limits", WaitsKeepTheirLimits, 0},
      {"any and all of many pools", AnyAndAllOfManyPools, 0},
      {"any of two pools with many tasks", AnyOfTwoPoolsWithManyTasks, 0},
      {"many threads, one future", ManyThreadsOneFuture, 0},
      {"many threads, own futures", ManyThreadsOwnFutures, 0},
      {"signals interrupt waits", SignalsInterruptWaits, 0},
      {"cancel takes out what has not begun", CancelTakesOutWhatHasNotBegun, 0},
      {"cancel races with workers", CancelRacesWithWorkers, 0},
      {"waiters see cancellation", WaitersSeeCancellation, 0},
  };
  return TEST_MAIN(argc, argv, cases);
}
