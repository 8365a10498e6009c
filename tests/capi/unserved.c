// SPDX-License-Identifier: MIT
// unserved WAY: a program that wants to be its own worker and does not make the start-up call as it should.
// Exit code 0 if the library tells it so; run by self_worker.
#include "host.h"

static int32_t Nothing(mproc_call_t* call, const void* input, size_t size, void* user_data) {
  (void)call, (void)input, (void)size, (void)user_data;
  return 0;
}
static void Serve(void) {
  mproc_table_t* table = NULL;
  NEED_OK(mproc_table_create(&table));
  NEED_OK(mproc_table_add(table, 1, "nothing", Nothing, NULL));
  NEED_OK(mproc_worker_main(table));
}

// Whether this is the run that was asked for, not one as a worker. That one waits until it may begin.
static bool IsFirstRun(const char* way) {
  if (getenv("UNSERVED_RUN")) return false;
  setenv("UNSERVED_RUN", way, 1);
  Board* board = MapBoard(getenv(TEST_BOARD), 0);
  NEED(board && SOON(atomic_load(&board->all_open)));
  return true;
}

static int32_t CreateSelf(mproc_pool_t** pool) {
  mproc_pool_options_t* options = NULL;
  NEED_OK(mproc_pool_options_create(&options));
  NEED_OK(mproc_pool_options_set_workers(options, 2));
  int32_t status = mproc_pool_create(options, pool);
  NEED_OK(mproc_pool_options_destroy(options));
  return status;
}
static void CheckNotServed(mproc_pool_t* pool) {
  mproc_future_t* future = NULL;
  char message[1024] = "";
  int32_t submitted = mproc_pool_submit(pool, 1, NULL, 0, 0, &future);
  CHECK_STATUS(mproc_pool_wait_ready(pool, TestLong()), MPROC_ERROR_NOT_SERVED);
  CHECK_HAS(mproc_last_error_message(), "mproc_worker_main");
  if (submitted == MPROC_OK) TakeEnd(future, MPROC_OUTCOME_NOT_RUN, MPROC_CAUSE_BROKEN);
  CHECK_STATUS(mproc_pool_submit(pool, 1, NULL, 0, 0, &future), MPROC_ERROR_BROKEN);
  CHECK_OK(mproc_pool_error_message(pool, message, sizeof message, NULL));
  CHECK_HAS(message, "mproc_worker_main");
  CHECK(Statistic(pool, MPROC_POOL_STATISTIC_STARTS) <= 4);  // hopeless: not tried again and again
}

int main(int argc, char** argv) {
  const char* way = argc > 1 ? argv[1] : getenv("UNSERVED_RUN");
  mproc_pool_t* pool = NULL;
  if (!way) return 2;
  bool first = IsFirstRun(way);
  if (strcmp(way, "never") == 0) {
    CHECK_STATUS(CreateSelf(&pool), MPROC_ERROR_NOT_SERVED);
    CHECK_HAS(mproc_last_error_message(), "mproc_worker_main");
    CHECK(pool == NULL && first);
  } else if (strcmp(way, "late") == 0 || strcmp(way, "stubborn") == 0) {
    // The worker's run comes here, too, and is told; one goes on all the same.
    CHECK_STATUS(CreateSelf(&pool), MPROC_ERROR_NOT_SERVED);
    CHECK_HAS(mproc_last_error_message(), "mproc_worker_main");
    if (!first && strcmp(way, "late") == 0) return 0;
    for (int i = 0; !first && i < 20; i++) CHECK_STATUS(CreateSelf(&pool), MPROC_ERROR_NOT_SERVED);
    Serve();
    CHECK(first);
    NEED_OK(CreateSelf(&pool));
    CheckNotServed(pool);
  } else if (strcmp(way, "exit") == 0) {
    if (!first) return 5;
    Serve();
    NEED_OK(CreateSelf(&pool));
    CHECK_STATUS(mproc_pool_wait_ready(pool, TestLong()), MPROC_ERROR_BROKEN);
    CHECK_HAS(mproc_last_error_message(), "code 5");
  } else {
    if (first) Serve();
    int32_t status = CreateSelf(&pool);
    if (!first) {
      CHECK_STATUS(status, MPROC_ERROR_NOT_SERVED);
      return 0;
    }
    NEED_OK(status);
    CheckNotServed(pool);
  }
  CHECK_OK(mproc_pool_destroy(pool));
  CHECK_OK(mproc_runtime_finish(TestLong()));
  return atomic_load(&g_test_failures) ? 1 : 0;
}
