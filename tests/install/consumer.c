// SPDX-License-Identifier: MIT
// consumer MODULE: a C program as a user would write it against the installed library. Its last line is
// 'N passed, N failed'.
#include <mproc/mproc.h>
#include <stdio.h>
#include <string.h>

static int g_passed, g_failed;

static void Check(int good, const char* what) {
  if (good) {
    g_passed++;
  } else {
    g_failed++;
    printf("failed: %s\n", what);
  }
}
#define CHECK(condition) Check(condition, #condition)

static int32_t Twice(mproc_call_t* call, const void* input, size_t size, void* user_data) {
  int32_t number = 0;
  (void)user_data;
  if (size == sizeof number) memcpy(&number, input, size);
  number *= 2;
  return mproc_call_reply(call, &number, sizeof number) == MPROC_OK ? 0 : 1;
}

static void Count(mproc_future_t* future, void* user_data) {
  (void)future;
  ++*(int*)user_data;
}

static void UseModule(const char* module) {
  mproc_pool_options_t* options = NULL;
  mproc_pool_t* pool = NULL;
  mproc_future_t* future = NULL;
  uint32_t add = 0, fail = 0;
  const void* data = NULL;
  size_t size = 0;
  uint64_t sum = 0;
  int64_t code = 0;
  const char* text = "";
  int called = 0;

  CHECK(mproc_pool_options_create(&options) == MPROC_OK);
  CHECK(mproc_pool_options_set_workers(options, 2) == MPROC_OK);
  CHECK(mproc_pool_options_set_module(options, module) == MPROC_OK);
  CHECK(mproc_pool_create(options, &pool) == MPROC_OK);
  CHECK(mproc_pool_options_destroy(options) == MPROC_OK);
  CHECK(mproc_pool_wait_ready(pool, 30 * MPROC_SECOND) == MPROC_OK);
  CHECK(mproc_pool_find_function(pool, "add", &add) == MPROC_OK && add == 1);
  CHECK(mproc_pool_find_function(pool, "fail", &fail) == MPROC_OK && fail == 2);

  CHECK(mproc_pool_apply(pool, add, "\1\2\3", 3, 30 * MPROC_SECOND, &future) == MPROC_OK);
  CHECK(mproc_future_result(future, &data, &size) == MPROC_OK && size == sizeof sum);
  if (data && size == sizeof sum) memcpy(&sum, data, size);
  CHECK(sum == 6);
  CHECK(mproc_future_release(future) == MPROC_OK);

  future = NULL;
  CHECK(mproc_pool_submit_callback(pool, fail, NULL, 0, MPROC_FOREVER, NULL, Count, &called, &future) ==
        MPROC_OK);
  CHECK(mproc_future_wait(future, 30 * MPROC_SECOND) == MPROC_OK && called == 1);
  CHECK(mproc_future_error(future) == MPROC_ERROR_TASK);
  CHECK(mproc_future_info(future, MPROC_FUTURE_INFO_ERROR_CODE, &code) == MPROC_OK && code == 7);
  CHECK(mproc_future_error_message(future, &text) == MPROC_OK && strstr(text, "as asked"));
  CHECK(mproc_future_release(future) == MPROC_OK);

  CHECK(mproc_pool_close(pool) == MPROC_OK);
  CHECK(mproc_pool_join(pool, 30 * MPROC_SECOND) == MPROC_OK);
  CHECK(mproc_pool_destroy(pool) == MPROC_OK);
}

static void UseSelf(void) {
  enum { kCount = 1000 };
  static int32_t in[kCount], out[kCount];
  mproc_pool_options_t* options = NULL;
  mproc_pool_t* pool = NULL;
  mproc_future_t* future = NULL;
  int wrong = 0;

  for (int i = 0; i < kCount; i++) in[i] = i;
  CHECK(mproc_pool_options_create(&options) == MPROC_OK);
  CHECK(mproc_pool_options_set_workers(options, 2) == MPROC_OK);
  CHECK(mproc_pool_options_set_self(options) == MPROC_OK);
  CHECK(mproc_pool_create(options, &pool) == MPROC_OK);
  CHECK(mproc_pool_options_destroy(options) == MPROC_OK);
  CHECK(mproc_pool_map_array(pool, 5, in, sizeof in[0], kCount, out, sizeof out[0], MPROC_CHUNK_AUTO,
                             30 * MPROC_SECOND, &future) == MPROC_OK);
  CHECK(mproc_future_error(future) == MPROC_OK);
  for (int i = 0; i < kCount; i++) wrong += out[i] != 2 * i;
  CHECK(wrong == 0);
  CHECK(mproc_future_release(future) == MPROC_OK);
  CHECK(mproc_pool_destroy(pool) == MPROC_OK);
}

int main(int argc, char** argv) {
  mproc_table_t* table = NULL;
  int64_t launcher = -1;
  CHECK(mproc_table_create(&table) == MPROC_OK);
  CHECK(mproc_table_add(table, 5, "twice", Twice, NULL) == MPROC_OK);
  CHECK(mproc_worker_main(table) == MPROC_OK);  // the worker runs of this program end here
  CHECK(mproc_table_destroy(table) == MPROC_OK);
  if (argc != 2) return 2;
  printf("libmproc %s\n", mproc_version_string());
  UseModule(argv[1]);
  UseSelf();
  CHECK(mproc_runtime_finish(30 * MPROC_SECOND) == MPROC_OK);
  CHECK(mproc_runtime_launcher_pid(&launcher) == MPROC_OK && launcher == 0);
  printf("%d passed, %d failed\n", g_passed, g_failed);
  return g_failed ? 1 : 0;
}
