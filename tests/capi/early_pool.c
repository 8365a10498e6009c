// SPDX-License-Identifier: MIT
// A module that makes a pool of itself while it is loaded, or in its initializer: $MPROC_TEST_NESTS says
// where. What came of it is on the board.
#include <mproc/mproc.h>
#include <string.h>

#include "functions.h"

static void Nest(const char* place) {
  const char* wanted = getenv("MPROC_TEST_NESTS");
  if (!wanted || strcmp(wanted, place) != 0) return;
  atomic_fetch_add(&TheBoard()->begun[0], 1);
  mproc_pool_options_t* options = NULL;
  mproc_pool_t* pool = NULL;
  int32_t status = mproc_pool_options_create(&options);
  if (!status) status = mproc_pool_options_set_module(options, getenv("MPROC_TEST_MODULE"));
  if (!status) status = mproc_pool_options_set_workers(options, 2);
  if (!status) status = mproc_pool_create(options, &pool);
  atomic_store(&TheBoard()->ended[0], (uint32_t)-status);
  mproc_pool_destroy(pool);
  mproc_pool_options_destroy(options);
}

__attribute__((constructor)) static void OnLoad(void) { Nest("constructor"); }

static int32_t Initialize(mproc_call_t* call, const void* input, size_t size, void* user_data) {
  (void)call, (void)input, (void)size, (void)user_data;
  Nest("initializer");
  return 0;
}
static int32_t Method(mproc_call_t* call, const void* input, size_t size, void* user_data) {
  int64_t method = mproc_worker_start_method();
  (void)input, (void)size, (void)user_data;
  return mproc_call_reply(call, &method, sizeof method);
}

MPROC_MODULE_ENTRY mproc_status_t mproc_module_main(mproc_table_t* table) {
  Nest("entry");
  mproc_status_t status = mproc_table_add(table, 1, "initialize", Initialize, NULL);
  return status ? status : mproc_table_add(table, 2, "method", Method, NULL);
}
