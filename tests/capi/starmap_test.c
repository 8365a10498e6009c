// SPDX-License-Identifier: MIT
// Functions of several arguments: maps whose items are lists.
#include "bound_functions.h"
#include "host.h"

static mproc_pool_t* StarPool(int32_t workers) {
  mproc_pool_options_t* options = Options(workers);
  NEED_OK(mproc_pool_options_set_module(options, TEST_MODULE_BOUND));
  return ReadyWith(options);
}

// Calls of base, exponent and a name of any length.
enum { kCalls = 200, kArity = 3 };
static int64_t g_numbers[kCalls][2];
static char g_names[kCalls][24];
static const void* g_arguments[kCalls * kArity];
static size_t g_sizes[kCalls * kArity];

static void Fill(void) {
  for (int i = 0; i < kCalls; i++) {
    g_numbers[i][0] = i % 10;
    g_numbers[i][1] = i % 7;
    snprintf(g_names[i], sizeof g_names[i], "%.*s%d", i % 9, "abcdefghi", i);
    for (int k = 0; k < 2; k++) {
      g_arguments[i * kArity + k] = &g_numbers[i][k];
      g_sizes[i * kArity + k] = sizeof g_numbers[i][k];
    }
    g_arguments[i * kArity + 2] = g_names[i];
    g_sizes[i * kArity + 2] = strlen(g_names[i]);
  }
}
static void CheckAll(mproc_future_t* future) {
  size_t count = 0;
  CHECK_OK(mproc_future_item_count(future, &count));
  CHECK_EQ(count, kCalls);
  for (size_t i = 0; i < count; i++) {
    const void* data = NULL;
    size_t size = 0;
    Power power;
    int64_t wanted = 1;
    for (size_t k = 0; k < i % 7; k++) wanted *= (int64_t)(i % 10);
    CHECK_OK(mproc_future_item(future, i, &data, &size));
    if (!CHECK_EQ(size, sizeof power)) continue;
    memcpy(&power, data, sizeof power);
    CHECK_EQ(power.power, wanted);
    CHECK(strcmp(power.name, g_names[i]) == 0);
  }
}

static void ArgumentsAreUnpacked(void) {
  const int64_t chunks[] = {1, 7, kCalls, MPROC_CHUNK_AUTO};
  mproc_pool_t* pool = StarPool(2);
  Fill();
  for (size_t c = 0; c < sizeof chunks / sizeof chunks[0]; c++) {
    mproc_future_t *future = NULL, *other = NULL;
    NEED_OK(mproc_pool_starmap(pool, fn_raise_to, g_arguments, g_sizes, kArity, kCalls, chunks[c], 0,
                               TestLong(), &future));
    CheckAll(future);
    NEED_OK(mproc_pool_starmap_with(pool, fn_raise_to, g_arguments, g_sizes, kArity, kCalls, chunks[c], 0,
                                    NULL, &other));
    WaitEnd(other);
    CheckAll(other);
    Release(future);
    Release(other);
  }
  CloseJoinDestroy(pool);
}

static int g_values, g_errors;
static void OnValue(mproc_future_t* future, void* user_data) {
  (void)future, (void)user_data;
  g_values++;
}
static void OnError(mproc_future_t* future, void* user_data) {
  (void)future, (void)user_data;
  g_errors++;
}
static void OptionsAndCallbacks(void) {
  mproc_pool_t* pool = StarPool(2);
  mproc_task_options_t* options = NULL;
  mproc_future_t* future = NULL;
  NEED_OK(mproc_task_options_create(&options));
  NEED_OK(mproc_task_options_set_callbacks(options, OnValue, OnError, NULL));
  Fill();
  NEED_OK(mproc_pool_starmap_with(pool, fn_raise_to, g_arguments, g_sizes, kArity, kCalls, 5, 0, options,
                                  &future));
  WaitEnd(future);
  CHECK_EQ(g_values, 1);
  Release(future);
  g_numbers[50][1] = -1;
  NEED_OK(mproc_pool_starmap_with(pool, fn_raise_to, g_arguments, g_sizes, kArity, kCalls, 5, 0, options,
                                  &future));
  WaitEnd(future);
  CHECK_EQ(g_errors, 1);
  CHECK_EQ(Info(future, MPROC_FUTURE_INFO_FAILED_ITEM), 50);
  Release(future);
  NEED_OK(mproc_task_options_destroy(options));
  CloseJoinDestroy(pool);
}

// A list made with the value calls is as good, in a lazy map as well.
static void ListsAreArguments(void) {
  mproc_pool_t* pool = StarPool(1);
  mproc_value_t* list = NULL;
  mproc_imap_t* imap = NULL;
  const void* item = NULL;
  const void* data = NULL;
  size_t size = 0;
  int64_t two = 2, three = 3;
  Power power;
  NEED_OK(mproc_value_create(&list));
  CHECK_OK(mproc_value_begin_list(list));
  CHECK_OK(mproc_value_put_bytes(list, &two, sizeof two));
  CHECK_OK(mproc_value_put_bytes(list, &three, sizeof three));
  CHECK_OK(mproc_value_put_string(list, "eight", 5));
  CHECK_OK(mproc_value_end(list));
  CHECK_OK(mproc_value_encode(list, &item, &size));
  NEED_OK(mproc_pool_imap_items(pool, fn_raise_to, &item, &size, 1, 1, 0, 0, 0, &imap));
  NEED_OK(mproc_imap_next(imap, TestLong(), &data, &size, NULL));
  if (CHECK_EQ(size, sizeof power)) memcpy(&power, data, sizeof power);
  CHECK_EQ(power.power, 8);
  CHECK(strcmp(power.name, "eight") == 0);
  CHECK_OK(mproc_imap_destroy(imap));
  CHECK_OK(mproc_value_destroy(list));
  CloseJoinDestroy(pool);
}

static void WrongOnesAreRefused(void) {
  const int32_t invalid = MPROC_ERROR_INVALID_ARGUMENT;
  mproc_pool_t* pool = StarPool(1);
  mproc_future_t* future = NULL;
  const void *data = NULL, *holes[] = {"x", NULL};
  const size_t ones[] = {1, 1};
  size_t size = 0, count = 9;
  Fill();
  CHECK_STATUS(mproc_pool_starmap(pool, fn_raise_to, NULL, g_sizes, 3, 5, 1, 0, 0, &future), invalid);
  CHECK_STATUS(mproc_pool_starmap(pool, fn_raise_to, holes, ones, 2, 1, 1, 0, 0, &future), invalid);
  CHECK_STATUS(mproc_pool_starmap(pool, fn_raise_to, g_arguments, g_sizes, 3, 5, 0, 0, 0, &future), invalid);
  CHECK_STATUS(mproc_pool_starmap(pool, fn_raise_to, g_arguments, g_sizes, 3, 5, 1, 7, 0, &future), invalid);
  CHECK_STATUS(mproc_pool_starmap(pool, fn_raise_to, g_arguments, g_sizes, SIZE_MAX, 2, 1, 0, 0, &future),
               MPROC_ERROR_TOO_LARGE);
  CHECK_STATUS(mproc_pool_starmap(pool, 99, g_arguments, g_sizes, 3, 5, 1, 0, 0, &future),
               MPROC_ERROR_UNKNOWN_FUNCTION);
  CHECK_STATUS(mproc_starmap_argument(NULL, 1, 0, &data, &size), invalid);
  CHECK_STATUS(mproc_starmap_argument("x", 1, 0, NULL, &size), invalid);
  CHECK_STATUS(mproc_starmap_argument("x", 1, 0, &data, &size), MPROC_ERROR_BAD_VALUE);
  // Of nothing, and calls without arguments or with empty ones.
  CHECK_OK(mproc_pool_starmap(pool, fn_raise_to, NULL, NULL, 3, 0, 1, 0, 0, &future));
  CHECK_OK(mproc_future_item_count(future, &count));
  CHECK_EQ(count, 0);
  Release(future);
  for (size_t arity = 0; arity < 4; arity += 3) {
    CHECK_OK(mproc_pool_starmap(pool, fn_raise_to, NULL, NULL, arity, 2, 1, 0, TestLong(), &future));
    CHECK_EQ(Info(future, MPROC_FUTURE_INFO_ERROR_CODE), arity ? 2 : MPROC_ERROR_NO_VALUE);
    Release(future);
  }
  CloseJoinDestroy(pool);
}

int main(int argc, char** argv) {
  static const TestCase cases[] = {
      {"arguments are unpacked", ArgumentsAreUnpacked, 0},
      {"options and callbacks", OptionsAndCallbacks, 0},
      {"lists are arguments", ListsAreArguments, 0},
      {"wrong ones are refused", WrongOnesAreRefused, 0},
  };
  return TEST_MAIN(argc, argv, cases);
}
