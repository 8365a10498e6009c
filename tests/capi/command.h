// SPDX-License-Identifier: MIT
// What the tests of commands and of interpreters as workers share. Every worker program there has the same
// functions; those of command_worker.c.
#ifndef MPROC_TESTS_COMMAND_H
#define MPROC_TESTS_COMMAND_H

#include "host.h"

enum { kDouble = 1, kEnvironment = 2, kCrash = 3, kHang = 4, kPrint = 5 };

static inline mproc_pool_options_t* CommandOptions(int32_t workers, const char* const* argv, size_t argc) {
  mproc_pool_options_t* options = Options(workers);
  NEED_OK(mproc_pool_options_set_start_method(options, MPROC_START_SPAWN));
  NEED_OK(mproc_pool_options_set_command(options, argv, argc));
  return options;
}

// Values come, and errors with what the language tells: `trace` is part of its trace.
static inline void CheckServes(mproc_pool_t* pool, const char* trace) {
  const char *type = NULL, *got = NULL;
  for (int64_t i = 0; i < 100; i++) CHECK_EQ(TakeNumber(SubmitNumber(pool, kDouble, i)), 2 * i);
  mproc_future_t* failed = Submit(pool, kDouble, "x", 1);
  WaitEnd(failed);
  CHECK_EQ(Outcome(failed), MPROC_OUTCOME_ERROR);
  CHECK_EQ(Info(failed, MPROC_FUTURE_INFO_ERROR_CODE), 7);
  CHECK_OK(mproc_future_error_type(failed, &type));
  CHECK(*type != '\0');
  CHECK(*Message(failed) != '\0');
  CHECK_OK(mproc_future_error_trace(failed, &got));
  CHECK_HAS(got, "\n");
  CHECK_HAS(got, trace);
  Release(failed);
}

// The pool is whole again after a task was lost by this signal, and serves.
static inline void CheckLost(mproc_pool_t* pool, mproc_future_t* future, int signal) {
  WaitEnd(future);
  CHECK_EQ(Outcome(future), MPROC_OUTCOME_WORKER_LOST);
  if (!TestSanitized() || signal == SIGKILL) CHECK_EQ(Info(future, MPROC_FUTURE_INFO_SIGNAL), signal);
  Release(future);
  CHECK_OK(mproc_pool_wait_ready(pool, TestLong()));
  CHECK_EQ(TakeNumber(SubmitNumber(pool, kDouble, 21)), 42);
}
static inline void CheckCrash(mproc_pool_t* pool, int signal) {
  CheckLost(pool, Submit(pool, kCrash, NULL, 0), signal);
}

// Kills who has a task, of two workers. It may not have begun it; then another one gets it.
static inline bool KillBusy(mproc_pool_t* pool) {
  for (int32_t i = 0; i < 2; i++) {
    bool busy = WorkerInfo(pool, i, MPROC_WORKER_INFO_STATE) == MPROC_WORKER_STATE_BUSY;
    pid_t pid = WorkerPid(pool, i);
    if (busy && pid > 0) TestKill(pid, SIGKILL);  // it may have ended in between
  }
  return false;
}
static inline void CheckKill(mproc_pool_t* pool) {
  mproc_future_t* future = Submit(pool, kHang, NULL, 0);
  NEED_SOON(KillBusy(pool) || mproc_future_ready(future) == MPROC_OK);
  CheckLost(pool, future, SIGKILL);
}

// A pool with these options cannot start; `text` is part of the reason.
static inline void CheckBroken(mproc_pool_options_t* options, int32_t status, const char* text) {
  mproc_pool_t* pool = CreateWith(options);
  CHECK_STATUS(mproc_pool_wait_ready(pool, TestLong()), status);
  CHECK_HAS(mproc_last_error_message(), text);
  CHECK(strlen(mproc_last_error_message()) < 4096 + 300);
  CHECK_OK(mproc_pool_destroy(pool));
}

#endif
