// SPDX-License-Identifier: MIT
// Arguments that cannot be: null where something is needed, numbers out of range, sizes that no memory has,
// functions that the table does not know or knows twice; and calls at the wrong time.
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "host.hh"

using namespace hostile;

namespace {

constexpr int32_t kBad = MPROC_ERROR_INVALID_ARGUMENT;

struct Options {
  mproc_pool_options_t* handle = nullptr;
  Options() { CHECK_OK(mproc_pool_options_create(&handle)); }
  ~Options() { CHECK_OK(mproc_pool_options_destroy(handle)); }
};

}  // namespace

CASE(null_results) {
  mproc_pool_t* pool = MakePool(1);
  if (!pool) return;
  mproc_future_t* f = Submit(pool, kEcho, "x", 1);
  CHECK_OK(mproc_future_wait(f, 5 * MPROC_SECOND));
  const void* data = nullptr;
  size_t size = 0;
  char buffer[8];
  CHECK_STATUS(mproc_pool_submit(pool, kEcho, "x", 1, 0, nullptr), kBad);
  CHECK_STATUS(mproc_pool_apply(pool, kEcho, "x", 1, 0, nullptr), kBad);
  mproc_future_t* none = nullptr;
  CHECK_STATUS(mproc_pool_submit(pool, kEcho, nullptr, 1, 0, &none), kBad);
  CHECK_STATUS(mproc_pool_submit_callback(pool, kEcho, nullptr, 1, 0, nullptr, nullptr, nullptr, &none),
               kBad);
  CHECK_STATUS(mproc_pool_apply(pool, kEcho, nullptr, 1, 0, &none), kBad);
  const void* items[] = {"a", nullptr};
  size_t sizes[] = {1, 1};
  CHECK_STATUS(mproc_pool_map(pool, kEcho, items, sizes, 2, 1, 0, 0, &none), kBad);
  CHECK_STATUS(mproc_pool_map(pool, kEcho, nullptr, sizes, 2, 1, 0, 0, &none), kBad);
  CHECK_STATUS(mproc_pool_map(pool, kEcho, items, sizes, 1, 1, 0, 0, nullptr), kBad);
  CHECK_STATUS(mproc_pool_map_async(pool, kEcho, nullptr, sizes, 2, 1, 0, nullptr, nullptr, nullptr, &none),
               kBad);
  CHECK_STATUS(mproc_pool_map_array(pool, kEcho, nullptr, 1, 2, buffer, 1, 1, 0, &none), kBad);
  CHECK_STATUS(mproc_pool_map_array(pool, kEcho, "ab", 1, 2, nullptr, 1, 1, 0, &none), kBad);
  CHECK_STATUS(mproc_pool_map_array(pool, kEcho, "ab", 1, 2, buffer, 1, 1, 0, nullptr), kBad);
  CHECK_STATUS(
      mproc_pool_map_array_async(pool, kEcho, nullptr, 1, 2, buffer, 1, 1, nullptr, nullptr, nullptr, &none),
      kBad);
  CHECK(!none);
  CHECK_STATUS(mproc_pool_statistic(pool, MPROC_POOL_STATISTIC_QUEUED, nullptr), kBad);
  CHECK_STATUS(mproc_pool_worker_count(pool, nullptr), kBad);
  CHECK_STATUS(mproc_pool_worker_info(pool, 0, MPROC_WORKER_INFO_PID, nullptr), kBad);
  CHECK_STATUS(mproc_pool_slowest(pool, 0, MPROC_SLOWEST_TASK, nullptr), kBad);
  CHECK_STATUS(mproc_pool_slowest_argument(pool, 0, nullptr, 5, nullptr), kBad);
  CHECK_STATUS(mproc_pool_error_message(pool, nullptr, 5, nullptr), kBad);
  CHECK_STATUS(mproc_pool_error_message(pool, nullptr, 0, nullptr), MPROC_ERROR_NO_ERROR);
  uint32_t id = 0;
  CHECK_STATUS(mproc_pool_find_function(pool, nullptr, &id), kBad);
  CHECK_STATUS(mproc_pool_find_function(pool, "echo", nullptr), kBad);
  CHECK_STATUS(mproc_future_successful(f, nullptr), kBad);
  CHECK_STATUS(mproc_future_outcome(f, nullptr), kBad);
  CHECK_STATUS(mproc_future_result(f, nullptr, &size), kBad);
  CHECK_STATUS(mproc_future_result(f, &data, nullptr), kBad);
  CHECK_STATUS(mproc_future_copy_result(f, nullptr, 1, &size), kBad);
  CHECK_STATUS(mproc_future_copy_result(f, nullptr, 0, &size), MPROC_ERROR_BUFFER_TOO_SMALL);
  CHECK_OK(mproc_future_copy_result(f, buffer, sizeof buffer, nullptr));
  CHECK_STATUS(mproc_future_item_count(f, nullptr), kBad);
  CHECK_STATUS(mproc_future_item(f, 0, nullptr, nullptr), kBad);
  CHECK_STATUS(mproc_future_item(f, 0, &data, &size), kBad);  // no map
  const char* text = nullptr;
  CHECK_STATUS(mproc_future_item_error_message(f, 0, nullptr), kBad);
  CHECK_STATUS(mproc_future_item_error_message(f, 0, &text), kBad);
  CHECK_STATUS(mproc_future_error_message(f, nullptr), kBad);
  CHECK_STATUS(mproc_future_error_message(f, &text), MPROC_ERROR_NO_ERROR);
  CHECK_STATUS(mproc_future_error_type(f, nullptr), kBad);
  CHECK_STATUS(mproc_future_error_trace(f, nullptr), kBad);
  CHECK_STATUS(mproc_future_info(f, MPROC_FUTURE_INFO_CAUSE, nullptr), kBad);
  mproc_table_t* table = nullptr;
  CHECK_OK(mproc_table_create(&table));
  CHECK_STATUS(mproc_table_count(table, nullptr), kBad);
  CHECK_STATUS(mproc_table_find(table, nullptr, &id), kBad);
  CHECK_STATUS(mproc_table_find(table, "x", nullptr), kBad);
  CHECK_STATUS(mproc_table_fingerprint(table, nullptr), kBad);
  CHECK_OK(mproc_table_destroy(table));
  CHECK_OK(mproc_future_release(f));
  CHECK(Serves(pool));
  Destroy(pool);
}

CASE(options_out_of_range) {
  Options o;
  for (int32_t n : {0, -1, 4097, INT32_MAX, INT32_MIN})
    CHECK_STATUS(mproc_pool_options_set_workers(o.handle, n), kBad);
  for (int32_t n : {-1, 3, 1000, INT32_MIN}) CHECK_STATUS(mproc_pool_options_set_polling(o.handle, n), kBad);
  for (int32_t n : {-1, 3, INT32_MAX}) CHECK_STATUS(mproc_pool_options_set_callbacks(o.handle, n), kBad);
  for (int32_t n : {-1, 77, INT32_MIN}) {
    int32_t got = mproc_pool_options_set_start_method(o.handle, n);
    CHECK(got == kBad || got == MPROC_ERROR_UNSUPPORTED);
  }
  for (int64_t n : {int64_t{0}, int64_t{-1}, INT64_MIN, MPROC_MILLISECOND - 1}) {
    CHECK_STATUS(mproc_pool_options_set_start_limit(o.handle, n), kBad);
  }
  CHECK_STATUS(mproc_pool_options_set_name(o.handle, nullptr), kBad);
  CHECK_STATUS(mproc_pool_options_set_name(o.handle, ""), kBad);
  CHECK_STATUS(mproc_pool_options_set_name(o.handle, std::string(64, 'n').c_str()), kBad);
  CHECK_OK(mproc_pool_options_set_name(o.handle, std::string(63, 'n').c_str()));
  CHECK_STATUS(mproc_pool_options_set_module(o.handle, nullptr), kBad);
  CHECK_STATUS(mproc_pool_options_set_module(o.handle, ""), kBad);
  CHECK_STATUS(mproc_pool_options_set_worker_program(o.handle, nullptr), kBad);
  CHECK_STATUS(mproc_pool_options_set_worker_program(o.handle, ""), kBad);
  CHECK_STATUS(mproc_pool_options_set_table(o.handle, nullptr), kBad);
  CHECK_STATUS(mproc_pool_options_set_initializer(o.handle, 1, nullptr, 1), kBad);
  // What was refused has changed nothing.
  CHECK_OK(mproc_pool_options_set_workers(o.handle, 1));
  CHECK_OK(mproc_pool_options_set_module(o.handle, Module().c_str()));
  mproc_pool_t* pool = nullptr;
  CHECK_OK(mproc_pool_create(o.handle, &pool));
  CHECK_OK(mproc_pool_wait_ready(pool, 10 * MPROC_SECOND));
  CHECK(Serves(pool));
  Destroy(pool);
}

CASE(limits_at_the_ends_of_their_range) {
  mproc_pool_t* pool = MakePool(1, [](mproc_pool_options_t* options) {
    CHECK_OK(mproc_pool_options_set_terminate_grace(options, MPROC_FOREVER));
    CHECK_OK(mproc_pool_options_set_start_limit(options, INT64_MAX));
    CHECK_OK(mproc_pool_options_set_queue_limits(options, UINT64_MAX, UINT64_MAX));
  });
  if (!pool) return;
  CHECK(Serves(pool));
  mproc_future_t* future = Submit(pool, kSleep, Sleep{200});
  for (int64_t limit : {INT64_MIN, int64_t{-1}, int64_t{0}, int64_t{1}}) {
    CHECK_STATUS(mproc_future_wait(future, limit), MPROC_ERROR_TIMED_OUT);
  }
  CHECK_OK(mproc_future_wait(future, INT64_MAX - 1));
  CHECK_OK(mproc_future_release(future));
  Destroy(pool);
  CHECK_THAT(MarkedProcesses().size() <= 1, "destroy returned before the worker had ended");

  pool = MakePool(1, [](mproc_pool_options_t* options) {
    CHECK_OK(mproc_pool_options_set_terminate_grace(options, INT64_MIN));
    CHECK_OK(mproc_pool_options_set_queue_limits(options, 1, 1));
  });
  if (!pool) return;
  CHECK(Serves(pool));
  future = Submit(pool, kUntilStopped, "deaf", 4);
  CHECK(Soon([&] { return Statistic(pool, MPROC_POOL_STATISTIC_RUNNING) == 1; }));
  Destroy(pool);
  CHECK_STATUS(mproc_future_error(future), MPROC_ERROR_CANCELLED);
  CHECK_OK(mproc_future_release(future));
}

CASE(numbers_that_name_nothing) {
  mproc_pool_t* pool = MakePool(1);
  if (!pool) return;
  uint64_t number = 0;
  int64_t info = 0;
  for (int32_t which : {0, -1, 22, 1000, INT32_MIN, INT32_MAX}) {
    CHECK_STATUS(mproc_pool_statistic(pool, which, &number), kBad);
    CHECK_STATUS(mproc_pool_worker_info(pool, 0, which, &info), kBad);
    CHECK_STATUS(mproc_pool_function_statistic(pool, kEcho, which, &number), kBad);
    CHECK_STATUS(mproc_pool_slowest(pool, 0, which, &info), kBad);
  }
  for (size_t index : {size_t{0}, size_t{10}, SIZE_MAX}) {
    CHECK_STATUS(mproc_pool_slowest(pool, index, MPROC_SLOWEST_TASK, &info), MPROC_ERROR_END);
    CHECK_STATUS(mproc_pool_slowest_argument(pool, index, nullptr, 0, nullptr), MPROC_ERROR_END);
  }
  for (int32_t place : {-1, 1, INT32_MIN, INT32_MAX}) {
    CHECK_STATUS(mproc_pool_worker_info(pool, place, MPROC_WORKER_INFO_PID, &info), kBad);
  }
  mproc_future_t* future = Submit(pool, kEcho, "x", 1);
  for (int32_t which : {0, -1, 14, INT32_MAX}) CHECK_STATUS(mproc_future_info(future, which, &info), kBad);
  const void* item = "x";
  size_t size = 1;
  mproc_future_t* map = nullptr;
  for (int64_t chunk : {int64_t{0}, int64_t{-1}, INT64_MIN + 1}) {
    CHECK_STATUS(mproc_pool_map(pool, kEcho, &item, &size, 1, chunk, 0, 0, &map), kBad);
    CHECK_STATUS(
        mproc_pool_map_async(pool, kEcho, &item, &size, 1, chunk, 0, nullptr, nullptr, nullptr, &map), kBad);
  }
  for (int32_t mode : {-1, 2, INT32_MAX}) {
    CHECK_STATUS(mproc_pool_map(pool, kEcho, &item, &size, 1, 1, mode, 0, &map), kBad);
  }
  CHECK(!map);
  CHECK_OK(mproc_pool_map(pool, kEcho, &item, &size, 1, INT64_MAX, 0, 5 * MPROC_SECOND, &map));
  const void* data = nullptr;
  for (size_t index : {size_t{1}, SIZE_MAX}) CHECK_STATUS(mproc_future_item(map, index, &data, &size), kBad);
  CHECK_STATUS(mproc_future_result(map, &data, &size), kBad);
  CHECK_OK(mproc_future_release(map));
  CHECK_OK(mproc_future_wait(future, 5 * MPROC_SECOND));
  CHECK_OK(mproc_future_release(future));
  CHECK_STATUS(mproc_pool_dispatch(pool, 0, nullptr), kBad);  // callbacks have a thread here
  Destroy(pool);
}

// Refused before a byte is read or a page is taken.
CASE(sizes_that_no_memory_has) {
  mproc_pool_t* pool = MakePool(1);
  if (!pool) return;
  const char small[] = "small";
  mproc_future_t* future = nullptr;
  rusage before{}, after{};
  getrusage(RUSAGE_SELF, &before);
  const size_t top = size_t{1} << 46;
  for (size_t size : {top + 1, top * 2, SIZE_MAX / 2, SIZE_MAX / 2 + 1, SIZE_MAX - 63, SIZE_MAX}) {
    CHECK_STATUS(mproc_pool_submit(pool, kEcho, small, size, 0, &future), MPROC_ERROR_TOO_LARGE);
    CHECK_STATUS(mproc_pool_submit_callback(pool, kEcho, small, size, 0, nullptr, nullptr, nullptr, &future),
                 MPROC_ERROR_TOO_LARGE);
    CHECK_STATUS(mproc_pool_apply(pool, kEcho, small, size, 0, &future), MPROC_ERROR_TOO_LARGE);
    const void* items[] = {small, small};
    size_t sizes[] = {size, 1}, last[] = {1, size};
    CHECK_STATUS(mproc_pool_map(pool, kEcho, items, sizes, 2, 1, 0, 0, &future), MPROC_ERROR_TOO_LARGE);
    CHECK_STATUS(mproc_pool_map(pool, kEcho, items, last, 2, 1, 0, 0, &future), MPROC_ERROR_TOO_LARGE);
    for (size_t count : {size_t{2}, SIZE_MAX / 2 + 1, SIZE_MAX}) {
      uint64_t out = 0;
      CHECK_STATUS(mproc_pool_map_array(pool, kEcho, small, size, count, nullptr, 0, 1, 0, &future),
                   MPROC_ERROR_TOO_LARGE);
      CHECK_STATUS(mproc_pool_map_array(pool, kEcho, small, count, size, nullptr, 0, 1, 0, &future),
                   MPROC_ERROR_TOO_LARGE);
      CHECK_STATUS(mproc_pool_map_array(pool, kEcho, nullptr, 0, count, &out, size, 1, 0, &future),
                   MPROC_ERROR_TOO_LARGE);
    }
  }
  CHECK(!future);
  getrusage(RUSAGE_SELF, &after);
  CHECK_THAT(after.ru_maxrss - before.ru_maxrss < 20000, "memory was taken");
  Options o;
  CHECK(mproc_pool_options_set_initializer(o.handle, 1, small, SIZE_MAX) < 0);
  CHECK(Serves(pool));
  Destroy(pool);
}

// So many items that their count alone goes over the edge; each of them is nothing.
CASE(counts_that_wrap) {
  mproc_pool_t* pool = MakePool(2);
  if (!pool) return;
  rlimit limit{};
  getrlimit(RLIMIT_AS, &limit);
  if (!HOSTILE_SANITIZED) {
    limit.rlim_cur = rlim_t{40} << 30;  // without a limit a wrong answer eats the machine's memory
    setrlimit(RLIMIT_AS, &limit);
  }
  for (size_t count : {SIZE_MAX, SIZE_MAX - 1, SIZE_MAX - 6, SIZE_MAX - 7, SIZE_MAX / 8, SIZE_MAX / 16}) {
    for (int64_t chunk : {MPROC_CHUNK_AUTO, int64_t{1}, INT64_MAX}) {
      mproc_future_t* future = nullptr;
      std::string story = "count " + std::to_string(count) + ", chunk " + std::to_string(chunk);
      mproc_status_t status = mproc_pool_map_array(pool, kForget, nullptr, 0, count, nullptr, 0, chunk,
                                                   MPROC_MILLISECOND, &future);
      CHECK_THAT(status == MPROC_ERROR_TOO_LARGE || status == MPROC_ERROR_OUT_OF_MEMORY ||
                     status == MPROC_ERROR_TIMED_OUT,
                 story + ": " + mproc_status_name(status));
      CHECK_OK(mproc_future_release(future));
      future = nullptr;
      status = mproc_pool_map(pool, kForget, nullptr, nullptr, count, chunk, 0, MPROC_MILLISECOND, &future);
      CHECK_THAT(status == MPROC_ERROR_TOO_LARGE || status == MPROC_ERROR_OUT_OF_MEMORY,
                 story + " of bytes: " + mproc_status_name(status));
    }
  }
  Destroy(pool);
}

CASE(functions_that_are_not_there) {
  // Without a table of the host's it is the future that tells, until the first worker has reported itself.
  mproc_pool_t* pool = nullptr;
  CHECK_OK(TryPool(1, &pool));
  mproc_future_t* future = nullptr;
  int32_t early = mproc_pool_submit(pool, 999, "x", 1, 0, &future);
  if (early == MPROC_OK) {
    CHECK_OK(mproc_future_wait(future, 10 * MPROC_SECOND));
    CHECK_STATUS(mproc_future_error(future), MPROC_ERROR_TASK);
    CHECK_EQ(InfoOf(future, MPROC_FUTURE_INFO_ERROR_CODE), MPROC_ERROR_UNKNOWN_FUNCTION);
    CHECK_OK(mproc_future_release(future));
  } else {
    CHECK_EQ(early, MPROC_ERROR_UNKNOWN_FUNCTION);
  }
  CHECK_OK(mproc_pool_wait_ready(pool, 10 * MPROC_SECOND));
  for (uint32_t id : {0u, 999u, 1023u, 1024u, 65536u, UINT32_MAX}) {
    const void* item = "x";
    size_t size = 1;
    CHECK_STATUS(mproc_pool_submit(pool, id, "x", 1, 0, &future), MPROC_ERROR_UNKNOWN_FUNCTION);
    CHECK_STATUS(mproc_pool_apply(pool, id, "x", 1, 0, &future), MPROC_ERROR_UNKNOWN_FUNCTION);
    CHECK_STATUS(mproc_pool_map(pool, id, &item, &size, 1, 1, 0, 0, &future), MPROC_ERROR_UNKNOWN_FUNCTION);
    CHECK_STATUS(mproc_pool_map_array(pool, id, "x", 1, 1, nullptr, 0, 1, 0, &future),
                 MPROC_ERROR_UNKNOWN_FUNCTION);
  }
  uint32_t id = 7;
  CHECK_STATUS(mproc_pool_find_function(pool, "nobody", &id), MPROC_ERROR_UNKNOWN_FUNCTION);
  CHECK_STATUS(mproc_pool_find_function(pool, "", &id), MPROC_ERROR_UNKNOWN_FUNCTION);
  CHECK_EQ(id, 7);
  Destroy(pool);
}

CASE(functions_that_are_there_twice) {
  mproc_table_t* table = nullptr;
  CHECK_OK(mproc_table_create(&table));
  CHECK_OK(mproc_table_add(table, 1, "one", nullptr, nullptr));
  CHECK_STATUS(mproc_table_add(table, 1, "other", nullptr, nullptr), MPROC_ERROR_DUPLICATE);
  CHECK_STATUS(mproc_table_add(table, 2, "one", nullptr, nullptr), MPROC_ERROR_DUPLICATE);
  CHECK_STATUS(mproc_table_add(table, 3, "", nullptr, nullptr), kBad);
  CHECK_STATUS(mproc_table_add(table, 3, nullptr, nullptr, nullptr), kBad);
  CHECK_STATUS(mproc_table_add(table, 3, std::string(256, 'n').c_str(), nullptr, nullptr), kBad);
  CHECK_OK(mproc_table_add(table, 3, std::string(255, 'n').c_str(), nullptr, nullptr));
  size_t count = 0;
  CHECK_OK(mproc_table_count(table, &count));
  CHECK_EQ(count, 2);
  uint32_t id = 0;
  CHECK_OK(mproc_table_find(table, "one", &id));
  CHECK_EQ(id, 1);
  CHECK_STATUS(mproc_table_find(table, "other", &id), MPROC_ERROR_UNKNOWN_FUNCTION);
  while (count < 65536) {
    auto number = static_cast<uint32_t>(1000 + count);
    if (!CHECK_OK(mproc_table_add(table, number, std::to_string(number).c_str(), nullptr, nullptr))) break;
    count++;
  }
  CHECK_STATUS(mproc_table_add(table, 5, "one too many", nullptr, nullptr), MPROC_ERROR_TOO_LARGE);
  CHECK_OK(mproc_table_destroy(table));
}

// A C++ exception of a module, which has a runtime library of its own, is a task error.
CASE(functions_that_throw) {
  mproc_pool_t* pool = MakePool(1);
  if (!pool) return;
  for (const char* text : {"thrown here", ""}) {
    mproc_future_t* future = Submit(pool, kThrow, text, strlen(text));
    CHECK_OK(mproc_future_wait(future, 5 * MPROC_SECOND));
    CHECK_STATUS(mproc_future_error(future), MPROC_ERROR_TASK);
    const char* type = "";
    CHECK_OK(mproc_future_error_type(future, &type));
    CHECK(strcmp(type, *text ? "std::runtime_error" : "int") == 0);
    CHECK(MessageOf(future).find(*text ? text : "exception") != std::string::npos);
    CHECK_OK(mproc_future_release(future));
  }
  uint64_t items[] = {1, 2, 3, 4};
  mproc_future_t* map = nullptr;
  CHECK_OK(mproc_pool_map_array(pool, kThrow, items, 8, 4, nullptr, 0, 2, 5 * MPROC_SECOND, &map));
  CHECK_STATUS(mproc_future_error(map), MPROC_ERROR_TASK);
  CHECK_OK(mproc_future_release(map));
  CHECK(Serves(pool));
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_DEATHS), 0);
  Destroy(pool);
}

CASE(a_table_that_the_workers_do_not_have) {
  mproc_table_t* table = nullptr;
  CHECK_OK(mproc_table_create(&table));
  CHECK_OK(mproc_table_add(table, kEcho, "echo", nullptr, nullptr));
  mproc_pool_t* pool = nullptr;
  CHECK_OK(TryPool(2, &pool, [&](mproc_pool_options_t* options) {
    CHECK_OK(mproc_pool_options_set_table(options, table));
  }));
  mproc_future_t* future = Submit(pool, kEcho, "x", 1);
  CHECK_STATUS(mproc_pool_submit(pool, kSum, "x", 1, 0, &future), MPROC_ERROR_UNKNOWN_FUNCTION);
  CHECK_STATUS(mproc_pool_wait_ready(pool, 10 * MPROC_SECOND), MPROC_ERROR_TABLE_MISMATCH);
  CHECK_OK(mproc_future_wait(future, 10 * MPROC_SECOND));
  CHECK_STATUS(mproc_future_error(future), MPROC_ERROR_NOT_RUN);
  CHECK_EQ(InfoOf(future, MPROC_FUTURE_INFO_CAUSE), MPROC_CAUSE_BROKEN);
  CHECK_OK(mproc_future_release(future));
  char text[16];
  size_t size = 0;
  CHECK_STATUS(mproc_pool_error_message(pool, text, sizeof text, &size), MPROC_ERROR_BUFFER_TOO_SMALL);
  CHECK(size > sizeof text);
  CHECK_OK(mproc_table_destroy(table));
  Destroy(pool);
}

CASE(modules_that_are_none) {
  const std::string bad[] = {"/nowhere/at/all.so",
                             "/etc/passwd",
                             "/",
                             Beside("hostile-arguments"),
                             "no-such-library.so",
                             "/dev/null",
                             Beside("hostile_module.so") + "/x"};
  for (const auto& path : bad) {
    mproc_pool_t* pool = nullptr;
    CHECK_OK(TryPool(1, &pool, [&](mproc_pool_options_t* options) {
      CHECK_OK(mproc_pool_options_set_module(options, path.c_str()));
    }));
    CHECK_STATUS(mproc_pool_wait_ready(pool, 10 * MPROC_SECOND), MPROC_ERROR_BAD_MODULE);
    mproc_future_t* future = nullptr;
    CHECK_STATUS(mproc_pool_submit(pool, 1, "x", 1, 0, &future), MPROC_ERROR_BROKEN);
    Destroy(pool);
  }
  mproc_pool_t* pool = nullptr;
  int32_t status = TryPool(1, &pool, [](mproc_pool_options_t* options) {
    CHECK_OK(mproc_pool_options_set_worker_program(options, "/nowhere/mproc-worker"));
  });
  CHECK_EQ(status, MPROC_ERROR_NO_WORKER_PROGRAM);
  // Without a module and without the start-up call.
  CHECK_STATUS(mproc_pool_create(nullptr, &pool), MPROC_ERROR_NOT_SERVED);
}

CASE(calls_after_close_and_terminate) {
  for (bool terminate : {false, true}) {
    mproc_pool_t* pool = MakePool(2);
    if (!pool) return;
    CHECK_STATUS(mproc_pool_join(pool, 0), MPROC_ERROR_STILL_RUNNING);
    mproc_future_t* running = Submit(pool, kSleep, Sleep{50});
    CHECK_OK(terminate ? mproc_pool_terminate(pool) : mproc_pool_close(pool));
    CHECK_OK(terminate ? mproc_pool_terminate(pool) : mproc_pool_close(pool));
    mproc_future_t* future = nullptr;
    const void* item = "x";
    size_t size = 1;
    for (int round = 0; round < 2; round++) {  // then with the pool's end behind it
      CHECK_STATUS(mproc_pool_submit(pool, kEcho, "x", 1, MPROC_FOREVER, &future), MPROC_ERROR_NOT_RUNNING);
      CHECK_STATUS(mproc_pool_apply(pool, kEcho, "x", 1, MPROC_FOREVER, &future), MPROC_ERROR_NOT_RUNNING);
      CHECK_STATUS(mproc_pool_submit_callback(
                       pool, kEcho, "x", 1, 0, [](mproc_future_t*, void*) { abort(); },
                       [](mproc_future_t*, void*) { abort(); }, nullptr, nullptr),
                   MPROC_ERROR_NOT_RUNNING);
      CHECK_STATUS(mproc_pool_map(pool, kEcho, &item, &size, 1, 1, 0, 0, &future), MPROC_ERROR_NOT_RUNNING);
      CHECK_STATUS(mproc_pool_map(pool, kEcho, &item, &size, 0, 1, 0, 0, &future), MPROC_ERROR_NOT_RUNNING);
      int32_t ready = mproc_pool_wait_ready(pool, MPROC_SECOND);
      CHECK(ready == MPROC_ERROR_NOT_RUNNING ||
            (round == 0 && ready == MPROC_OK));  // the workers may be there yet
      uint64_t number = 0;
      int64_t info = 0;
      CHECK_OK(mproc_pool_statistic(pool, MPROC_POOL_STATISTIC_SUBMITTED, &number));
      CHECK_OK(mproc_pool_worker_info(pool, 0, MPROC_WORKER_INFO_STATE, &info));
      CHECK_OK(mproc_pool_join(pool, 5 * MPROC_SECOND));
    }
    CHECK_STATUS(mproc_future_error(running), terminate ? MPROC_ERROR_CANCELLED : MPROC_OK);
    CHECK_OK(mproc_pool_close(pool));
    CHECK_OK(mproc_pool_terminate(pool));
    CHECK_OK(mproc_future_release(running));
    Destroy(pool);
  }
}

// A running task that gives in within the grace time is cancelled all the same.
CASE(terminate_cancels_what_runs) {
  for (const char* how : {"", "soft", "deaf"}) {
    mproc_pool_t* pool = MakePool(1);
    if (!pool) return;
    mproc_future_t* running = Submit(pool, kUntilStopped, how, strlen(how));
    mproc_future_t* queued = Submit(pool, kEcho, "x", 1);
    CHECK(Soon([&] { return Statistic(pool, MPROC_POOL_STATISTIC_RUNNING) == 1; }));
    CHECK_OK(mproc_pool_terminate(pool));
    CHECK_OK(mproc_pool_join(pool, 5 * MPROC_SECOND));
    for (auto* future : {running, queued}) {
      CHECK_THAT(mproc_future_error(future) == MPROC_ERROR_CANCELLED &&
                     InfoOf(future, MPROC_FUTURE_INFO_CAUSE) == MPROC_CAUSE_TERMINATE,
                 std::string("a task, '") + how + "': outcome " + std::to_string(OutcomeOf(future)));
      CHECK_OK(mproc_future_release(future));
    }
    Destroy(pool);
  }
}

// The runtime is ended below living pools.
CASE(calls_after_finish) {
  mproc_pool_t* pool = MakePool(2);
  if (!pool) return;
  mproc_future_t* running = Submit(pool, kUntilStopped, "", 0);
  CHECK(Soon([&] { return Statistic(pool, MPROC_POOL_STATISTIC_RUNNING) == 1; }));
  CHECK_OK(mproc_runtime_finish(5 * MPROC_SECOND));
  CHECK_OK(mproc_runtime_finish(0));
  CHECK_STATUS(mproc_future_error(running), MPROC_ERROR_CANCELLED);
  CHECK_EQ(InfoOf(running, MPROC_FUTURE_INFO_CAUSE), MPROC_CAUSE_DESTROY);
  mproc_future_t* future = nullptr;
  CHECK_STATUS(mproc_pool_submit(pool, kEcho, "x", 1, MPROC_FOREVER, &future), MPROC_ERROR_NOT_RUNNING);
  CHECK_OK(mproc_pool_join(pool, MPROC_SECOND));
  CHECK_STATUS(mproc_future_cancel(running), MPROC_ERROR_ALREADY_STARTED);
  int64_t pid = 1;
  CHECK_OK(mproc_runtime_launcher_pid(&pid));
  CHECK_EQ(pid, 0);
  // A new one beside the old pool.
  mproc_pool_t* second = MakePool(1);
  if (second) CHECK(Serves(second));
  CHECK_STATUS(mproc_pool_submit(pool, kEcho, "x", 1, 0, &future), MPROC_ERROR_NOT_RUNNING);
  CHECK_OK(mproc_future_release(running));
  Destroy(pool);
  if (second) Destroy(second);
  for (int i = 0; i < 3; i++) {
    CHECK_OK(mproc_runtime_finish(5 * MPROC_SECOND));
    second = MakePool(1);
    if (second) Destroy(second);
  }
}

// From a callback, what would wait for the thread that makes the call.
CASE(waiting_for_oneself) {
  static mproc_pool_t* pool;
  static std::atomic<int> called;
  pool = MakePool(1);
  if (!pool) return;
  CHECK_OK(mproc_pool_submit_callback(
      pool, kEcho, "x", 1, MPROC_SECOND,
      [](mproc_future_t* future, void*) {
        mproc_future_t* other = nullptr;
        const void* item = "x";
        size_t size = 1;
        constexpr int32_t kSelf = MPROC_ERROR_WOULD_BLOCK_ITSELF;
        CHECK_OK(mproc_future_wait(future, MPROC_FOREVER));
        CHECK_STATUS(mproc_pool_apply(pool, kEcho, "x", 1, MPROC_FOREVER, &other), kSelf);
        CHECK_STATUS(mproc_pool_map(pool, kEcho, &item, &size, 1, 1, 0, MPROC_FOREVER, &other), kSelf);
        CHECK_STATUS(mproc_pool_map_array(pool, kEcho, "x", 1, 1, nullptr, 0, 1, MPROC_FOREVER, &other),
                     kSelf);
        CHECK_STATUS(mproc_pool_join(pool, MPROC_FOREVER), MPROC_ERROR_STILL_RUNNING);
        CHECK_OK(mproc_pool_close(pool));
        CHECK_STATUS(mproc_pool_join(pool, MPROC_FOREVER), kSelf);
        CHECK_STATUS(mproc_runtime_finish(MPROC_FOREVER), kSelf);
        called = 1;
        CHECK_OK(mproc_pool_destroy(pool));
        CHECK_STATUS(mproc_pool_destroy(pool), MPROC_ERROR_STALE_HANDLE);
        called = 2;
      },
      nullptr, nullptr, nullptr));
  CHECK(Soon([] { return called == 2; }));
}

int main(int argc, char** argv) { return Main(argc, argv); }
