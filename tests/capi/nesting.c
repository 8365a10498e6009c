// SPDX-License-Identifier: MIT
// A module whose functions make pools of their own, with this module again. Linked with libmproc.
#include <dlfcn.h>
#include <mproc/mproc.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "functions.h"
#include "nesting.h"

enum { kWorkers = 2 };

static mproc_status_t MakePool(mproc_pool_t** pool) {
  Dl_info self;
  mproc_pool_options_t* options = NULL;
  if (!dladdr((void*)(uintptr_t)MakePool, &self)) return MPROC_ERROR_SYSTEM;
  mproc_status_t status = mproc_pool_options_create(&options);
  if (status == MPROC_OK) status = mproc_pool_options_set_module(options, self.dli_fname);
  if (status == MPROC_OK) status = mproc_pool_options_set_workers(options, kWorkers);
  const char* start = getenv("MPROC_TEST_START");
  if (status == MPROC_OK && start) status = mproc_pool_options_set_start_method(options, atoi(start));
  if (status == MPROC_OK) status = mproc_pool_create(options, pool);
  mproc_pool_options_destroy(options);
  return status;
}

// One call of the function in each worker of an own pool; the sum of what they give.
static mproc_status_t CallAll(uint32_t function, const Nest* nest, int64_t* sum) {
  mproc_pool_t* pool = NULL;
  mproc_future_t* futures[kWorkers] = {NULL};
  mproc_status_t status = MakePool(&pool);
  for (int i = 0; status == MPROC_OK && i < kWorkers; i++) {
    Nest inner = {nest->depth - 1, nest->cell + i};
    status = mproc_pool_submit(pool, function, &inner, sizeof inner, MPROC_FOREVER, &futures[i]);
  }
  for (int i = 0; status == MPROC_OK && i < kWorkers; i++) {
    int64_t value = 0;
    status = mproc_future_wait(futures[i], MPROC_FOREVER);
    if (status == MPROC_OK) status = mproc_future_copy_result(futures[i], &value, sizeof value, NULL);
    *sum += value;
  }
  for (int i = 0; i < kWorkers; i++) mproc_future_release(futures[i]);
  mproc_pool_destroy(pool);
  return status;
}

static int32_t Count(mproc_call_t* call, const void* input, size_t size, void* user_data) {
  const Nest* nest = input;
  int64_t sum = 1;
  (void)user_data;
  if (size != sizeof *nest) return 1;
  mproc_status_t status = nest->depth > 0 ? CallAll(nest_count, nest, &sum) : MPROC_OK;
  if (status != MPROC_OK) return mproc_call_fail(call, status, "", mproc_status_name(status), NULL);
  return mproc_call_reply(call, &sum, sizeof sum);
}

static int32_t Hang(mproc_call_t* call, const void* input, size_t size, void* user_data) {
  const Nest* nest = input;
  int64_t sum = 0;
  (void)call, (void)user_data;
  if (size != sizeof *nest) return 1;
  if (nest->depth > 0) return CallAll(nest_hang, nest, &sum);
  Board* board = MapBoard(getenv(TEST_BOARD), 0);
  if (!board) return 2;
  atomic_store(&board->pid[nest->cell], (int32_t)getpid());
  atomic_fetch_add(&board->begun[nest->cell], 1);
  for (;;) pause();
}

MPROC_MODULE_ENTRY mproc_status_t mproc_module_main(mproc_table_t* table) {
  mproc_status_t status = mproc_table_add(table, nest_count, "count", Count, NULL);
  return status == MPROC_OK ? mproc_table_add(table, nest_hang, "hang", Hang, NULL) : status;
}
