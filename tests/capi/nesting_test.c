// SPDX-License-Identifier: MIT
// Pools whose tasks have pools of their own, and how such a tree ends.
#include "nesting.h"

#include "host.h"

static mproc_pool_t* NestingPool(int32_t workers) {
  mproc_pool_options_t* options = Options(workers);
  NEED_OK(mproc_pool_options_set_module(options, TEST_MODULE_NESTING));
  return ReadyWith(options);
}

static mproc_future_t* SubmitNest(mproc_pool_t* pool, uint32_t function, int64_t depth, int64_t cell) {
  Nest nest = {depth, cell};
  return Submit(pool, function, &nest, sizeof nest);
}

static void PoolsInPools(void) {
  mproc_pool_t* pool = NestingPool(2);
  mproc_future_t* futures[3];
  for (int64_t depth = 0; depth < 3; depth++) futures[depth] = SubmitNest(pool, nest_count, depth, 0);
  for (int64_t depth = 0; depth < 3; depth++) CHECK_EQ(TakeNumber(futures[depth]), (2 << depth) - 1);
  CloseJoinDestroy(pool);
}

static void TheTreeBelowAWorkerEndsWithIt(void) {
  mproc_pool_t* pool = NestingPool(1);
  mproc_future_t* future = SubmitNest(pool, nest_hang, 1, 0);
  NEED_SOON(CountBegun(0, 2) == 2);
  pid_t below[2] = {g_board->pid[0], g_board->pid[1]};
  TestKill(WorkerPid(pool, 0), SIGKILL);
  TakeEnd(future, MPROC_OUTCOME_WORKER_LOST, MPROC_CAUSE_SIGNAL);
  CHECK_SOON(TestGone(below[0]) && TestGone(below[1]));
  CloseJoinDestroy(pool);
}

static void TerminateEndsTheTree(void) {
  mproc_pool_t* pool = NestingPool(2);
  mproc_future_t* future = SubmitNest(pool, nest_hang, 2, 0);
  NEED_SOON(CountBegun(0, 3) == 3);
  CHECK_OK(mproc_pool_terminate(pool));
  CHECK_OK(mproc_pool_join(pool, TestLong()));
  TakeEnd(future, MPROC_OUTCOME_CANCELLED, MPROC_CAUSE_TERMINATE);
  CHECK_OK(mproc_pool_destroy(pool));  // the frame sees that nothing is left
}

static void TheTreeEndsWithItsHost(void) {
  OpenBoard();
  pid_t host = fork();
  if (host == 0) {
    SubmitNest(NestingPool(2), nest_hang, 2, 0);
    for (;;) pause();
  }
  NEED_SOON(CountBegun(0, 3) == 3);
  if (TestHasLauncher())
    CHECK_SOON(TestMarked(NULL, 0) >= 12);  // four pools of two workers, and a launcher for each
  TestKill(host, SIGKILL);
  NEED(waitpid(host, NULL, 0) == host);
  for (int i = 0; i < 3; i++) CHECK_SOON(TestGone(g_board->pid[i]));
  CHECK_SOON(TestMarked(NULL, 0) == 0);
}

// Neither the inner pool nor the outer one is closed by anybody.
static void ForgottenPoolsHoldNothingUp(void) {
  OpenBoard();
  pid_t host = fork();
  if (host == 0) {
    mproc_future_t* future = SubmitNest(NestingPool(1), nest_hang, 1, 0);
    NEED_SOON(CountBegun(0, 2) == 2);
    (void)future;
    TestForgetLeaks();
    exit(7);
  }
  int status = 0;
  NEED(waitpid(host, &status, 0) == host);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
  CHECK_SOON(TestMarked(NULL, 0) == 0);
}

static const TestCase g_cases[] = {
    {"pools in pools", PoolsInPools, 0},
    {"the tree below a worker ends with it", TheTreeBelowAWorkerEndsWithIt, 0},
    {"terminate ends the tree", TerminateEndsTheTree, 0},
    {"the tree ends with its host", TheTreeEndsWithItsHost, 0},
    {"forgotten pools hold nothing up", ForgottenPoolsHoldNothingUp, 0},
};

int main(int argc, char** argv) { return TEST_MAIN(argc, argv, g_cases); }
