// SPDX-License-Identifier: MIT
#include "calls.hh"

#include "object_calls.hh"

namespace hostile {
namespace {

// Places for what the calls write.
struct Out {
  size_t size = 0;
  uint32_t id = 0;
  uint64_t number = 0;
  int64_t info = 0;
  int32_t flag = 0;
  double real = 0;
  const void* data = nullptr;
  const char* text = nullptr;
  mproc_future_t* future = nullptr;
  mproc_imap_t* imap = nullptr;
  mproc_call_t* call = nullptr;
  char buffer[64] = {};
};
Out g_out;
const void* const kItems[] = {"a", "b"};
const size_t kSizes[] = {1, 1};
int32_t NoItems(const void**, size_t*, void*) { return MPROC_ITEM_END; }
const char* const kCommand[] = {"/nowhere"};

mproc_table_t* Table(void* handle) { return static_cast<mproc_table_t*>(handle); }
mproc_pool_options_t* Options(void* handle) { return static_cast<mproc_pool_options_t*>(handle); }
mproc_pool_t* Pool(void* handle) { return static_cast<mproc_pool_t*>(handle); }
mproc_future_t* Future(void* handle) { return static_cast<mproc_future_t*>(handle); }
mproc_block_t* Block(void* handle) { return static_cast<mproc_block_t*>(handle); }
mproc_task_options_t* TaskOptions(void* handle) { return static_cast<mproc_task_options_t*>(handle); }
mproc_imap_t* Imap(void* handle) { return static_cast<mproc_imap_t*>(handle); }
mproc_value_t* Value(void* handle) { return static_cast<mproc_value_t*>(handle); }

std::vector<HandleCall> MakeCalls() {
  std::vector<HandleCall> calls;
  auto add = [&calls](const char* name, Kind kind, std::function<int32_t(void*)> call,
                      int32_t on_null = MPROC_ERROR_INVALID_ARGUMENT) {
    calls.push_back({name, kind, std::move(call), on_null});
  };
  Out& o = g_out;
#define TABLE(name, ...) add(#name, Kind::kTable, [&o](void* h) { return name(Table(h), ##__VA_ARGS__); })
  TABLE(mproc_table_add, 2000000000u, "somebody", nullptr, nullptr);
  TABLE(mproc_table_count, &o.size);
  TABLE(mproc_table_find, "somebody", &o.id);
  TABLE(mproc_table_fingerprint, &o.number);
  TABLE(mproc_worker_main);
  TABLE(mproc_worker_serve);
  TABLE(mproc_worker_next, 0, &o.call, &o.data, &o.size);
  add(
      "mproc_table_destroy", Kind::kTable, [](void* h) { return mproc_table_destroy(Table(h)); }, MPROC_OK);
#define OPTIONS(name, ...)                   \
  add(#name, Kind::kOptions, [&o](void* h) { \
    (void)o;                                 \
    return name(Options(h), ##__VA_ARGS__);  \
  })
  OPTIONS(mproc_pool_options_set_workers, 1);
  OPTIONS(mproc_pool_options_set_name, "name");
  OPTIONS(mproc_pool_options_set_start_method, MPROC_START_SPAWN);
  OPTIONS(mproc_pool_options_set_fork_with_threads, 1);
  OPTIONS(mproc_pool_options_set_module, "/nowhere.so");
  OPTIONS(mproc_pool_options_set_self);
  OPTIONS(mproc_pool_options_set_command, kCommand, 1);
  OPTIONS(mproc_pool_options_set_environment, "MPROC_NOTHING", nullptr);
  OPTIONS(mproc_pool_options_set_directory, "/");
  OPTIONS(mproc_pool_options_set_table, nullptr);
  OPTIONS(mproc_pool_options_set_initializer, 1, "x", 1);
  OPTIONS(mproc_pool_options_set_queue_limits, 0, 0);
  OPTIONS(mproc_pool_options_set_polling, MPROC_POLLING_OFF);
  OPTIONS(mproc_pool_options_set_callbacks, MPROC_CALLBACKS_THREAD);
  OPTIONS(mproc_pool_options_set_timing, MPROC_TIMING_SAMPLED);
  OPTIONS(mproc_pool_options_set_log_callback, nullptr, nullptr, MPROC_LOG_INFO);
  OPTIONS(mproc_pool_options_set_output_callback, nullptr, nullptr);
  OPTIONS(mproc_pool_options_set_terminate_grace, 0);
  OPTIONS(mproc_pool_options_set_start_limit, MPROC_SECOND);
  OPTIONS(mproc_pool_options_set_worker_program, "/nowhere");
  OPTIONS(mproc_pool_options_set_worker_tasks, 1);
  OPTIONS(mproc_pool_options_set_worker_memory, 1);
  OPTIONS(mproc_pool_options_set_worker_age, MPROC_SECOND);
  OPTIONS(mproc_pool_options_set_worker_idle, MPROC_SECOND);
  OPTIONS(mproc_pool_options_set_least_workers, 1);
  OPTIONS(mproc_pool_options_set_finalizer, 1, "x", 1);
  OPTIONS(mproc_pool_options_set_finalizer_callback, nullptr, nullptr);
  OPTIONS(mproc_pool_options_set_worker_limit, MPROC_LIMIT_FILES, 100);
  OPTIONS(mproc_pool_options_set_worker_nice, 0);
  OPTIONS(mproc_pool_options_set_worker_cpus, nullptr, 0, MPROC_CPUS_SHARED);
  OPTIONS(mproc_pool_options_set_restart_limit, 1, MPROC_SECOND);
  add(
      "mproc_pool_options_destroy", Kind::kOptions,
      [](void* h) { return mproc_pool_options_destroy(Options(h)); }, MPROC_OK);
#define TASK_OPTIONS(name, ...) \
  add(#name, Kind::kTaskOptions, [](void* h) { return name(TaskOptions(h), ##__VA_ARGS__); })
  TASK_OPTIONS(mproc_task_options_set_time_limit, MPROC_FOREVER);
  TASK_OPTIONS(mproc_task_options_set_deadline, MPROC_FOREVER);
  TASK_OPTIONS(mproc_task_options_set_grace, 0);
  TASK_OPTIONS(mproc_task_options_set_retry, 0, 0, 0);
  TASK_OPTIONS(mproc_task_options_set_priority, 0);
  TASK_OPTIONS(mproc_task_options_set_callbacks, nullptr, nullptr, nullptr);
  TASK_OPTIONS(mproc_task_options_set_progress_callback, nullptr, nullptr);
  TASK_OPTIONS(mproc_task_options_set_started_callback, nullptr, nullptr);
  TASK_OPTIONS(mproc_task_options_set_room_limit, 0);
  add(
      "mproc_task_options_destroy", Kind::kTaskOptions,
      [](void* h) { return mproc_task_options_destroy(TaskOptions(h)); }, MPROC_OK);
#define POOL(name, ...)                   \
  add(#name, Kind::kPool, [&o](void* h) { \
    (void)o;                              \
    return name(Pool(h), ##__VA_ARGS__);  \
  })
  POOL(mproc_pool_wait_ready, 0);
  POOL(mproc_pool_resize, 1);
  POOL(mproc_pool_submit, 1, "x", 1, 0, &o.future);
  POOL(mproc_pool_submit_callback, 1, "x", 1, 0, nullptr, nullptr, nullptr, &o.future);
  POOL(mproc_pool_submit_borrowed, 1, "x", 1, nullptr, nullptr, 0, nullptr, nullptr, nullptr, &o.future);
  POOL(mproc_pool_submit_with, 1, "x", 1, nullptr, &o.future);
  POOL(mproc_pool_map_with, 1, kItems, kSizes, 2, 1, 0, nullptr, &o.future);
  POOL(mproc_pool_map_array_with, 1, "ab", 1, 2, o.buffer, 1, 1, nullptr, &o.future);
  POOL(mproc_pool_submit_block, 1, nullptr, 0, 0, nullptr, nullptr, 0, nullptr, nullptr, nullptr, &o.future);
  POOL(mproc_pool_broadcast, 1, "x", 1, &o.future);
  POOL(mproc_pool_apply, 1, "x", 1, 0, &o.future);
  POOL(mproc_pool_map, 1, kItems, kSizes, 2, 1, 0, 0, &o.future);
  POOL(mproc_pool_map_async, 1, kItems, kSizes, 2, 1, 0, nullptr, nullptr, nullptr, &o.future);
  POOL(mproc_pool_map_array, 1, "ab", 1, 2, o.buffer, 1, 1, 0, &o.future);
  POOL(mproc_pool_map_array_async, 1, "ab", 1, 2, o.buffer, 1, 1, nullptr, nullptr, nullptr, &o.future);
  POOL(mproc_pool_imap, 1, NoItems, nullptr, 1, 0, 0, 0, &o.imap);
  POOL(mproc_pool_imap_items, 1, kItems, kSizes, 2, 1, 0, 0, 0, &o.imap);
  POOL(mproc_pool_starmap, 1, kItems, kSizes, 1, 2, 1, 0, 0, &o.future);
  POOL(mproc_pool_starmap_with, 1, kItems, kSizes, 1, 2, 1, 0, nullptr, &o.future);
  POOL(mproc_pool_bind, 1, "x", 1, &o.id);
  POOL(mproc_pool_bind_block, 1, nullptr, 0, 0, &o.id);
  POOL(mproc_pool_bind_objects, 1, "x", 1, nullptr, 0, &o.id);
  POOL(mproc_pool_unbind, 1);
  POOL(mproc_pool_dispatch, 0, &o.size);
  POOL(mproc_pool_next, 0, &o.future, nullptr);
  POOL(mproc_pool_fd, &o.flag);
  POOL(mproc_pool_wake);
  POOL(mproc_pool_statistic, MPROC_POOL_STATISTIC_QUEUED, &o.number);
  POOL(mproc_pool_function_statistic, 1, MPROC_FUNCTION_STATISTIC_RUNS, &o.number);
  POOL(mproc_pool_slowest, 0, MPROC_SLOWEST_ELAPSED, &o.info);
  POOL(mproc_pool_slowest_argument, 0, o.buffer, sizeof o.buffer, &o.size);
  POOL(mproc_pool_worker_count, &o.flag);
  POOL(mproc_pool_worker_info, 0, MPROC_WORKER_INFO_PID, &o.info);
  POOL(mproc_pool_error_message, o.buffer, sizeof o.buffer, &o.size);
  POOL(mproc_pool_dump, o.buffer, sizeof o.buffer, &o.size);
  POOL(mproc_pool_find_function, "echo", &o.id);
  POOL(mproc_pool_join, 0);
  POOL(mproc_pool_close);
  POOL(mproc_pool_terminate);
  add(
      "mproc_pool_destroy", Kind::kPool, [](void* h) { return mproc_pool_destroy(Pool(h)); }, MPROC_OK);
#define FUTURE(name, ...)                   \
  add(#name, Kind::kFuture, [&o](void* h) { \
    (void)o;                                \
    return name(Future(h), ##__VA_ARGS__);  \
  })
  FUTURE(mproc_future_wait, 0);
  add("mproc_future_wait_any", Kind::kFuture, [&o](void* h) {
    mproc_future_t* some[] = {nullptr, Future(h)};
    return mproc_future_wait_any(some, 2, 0, &o.size);
  });
  add(
      "mproc_future_wait_all", Kind::kFuture,
      [](void* h) {
        mproc_future_t* some[] = {nullptr, Future(h)};
        return mproc_future_wait_all(some, 2, 0);
      },
      MPROC_OK);
  FUTURE(mproc_future_ready);
  FUTURE(mproc_future_successful, &o.flag);
  FUTURE(mproc_future_outcome, &o.flag);
  FUTURE(mproc_future_result, &o.data, &o.size);
  FUTURE(mproc_future_copy_result, o.buffer, sizeof o.buffer, &o.size);
  FUTURE(mproc_future_item_count, &o.size);
  FUTURE(mproc_future_item, 0, &o.data, &o.size);
  FUTURE(mproc_future_item_error_message, 0, &o.text);
  FUTURE(mproc_future_error);
  FUTURE(mproc_future_error_message, &o.text);
  FUTURE(mproc_future_error_type, &o.text);
  FUTURE(mproc_future_error_trace, &o.text);
  FUTURE(mproc_future_info, MPROC_FUTURE_INFO_TASK_ID, &o.info);
  FUTURE(mproc_future_progress, &o.number, &o.number);
  FUTURE(mproc_future_cancel);
  FUTURE(mproc_future_cancel_running, 0);
  FUTURE(mproc_future_retain);
  add(
      "mproc_future_release", Kind::kFuture, [](void* h) { return mproc_future_release(Future(h)); },
      MPROC_OK);
#define IMAP(name, ...)                   \
  add(#name, Kind::kImap, [&o](void* h) { \
    (void)o;                              \
    return name(Imap(h), ##__VA_ARGS__);  \
  })
  IMAP(mproc_imap_next, 0, &o.data, &o.size, &o.number);
  IMAP(mproc_imap_error_message, &o.text);
  IMAP(mproc_imap_error_type, &o.text);
  IMAP(mproc_imap_error_trace, &o.text);
  IMAP(mproc_imap_info, MPROC_FUTURE_INFO_CAUSE, &o.info);
  add(
      "mproc_imap_destroy", Kind::kImap, [](void* h) { return mproc_imap_destroy(Imap(h)); }, MPROC_OK);
  AddObjectCalls(add);
  add("mproc_block_data", Kind::kBlock,
      [&o](void* h) { return mproc_block_data(Block(h), nullptr, &o.size); });
  add(
      "mproc_block_destroy", Kind::kBlock, [](void* h) { return mproc_block_destroy(Block(h)); }, MPROC_OK);
#define VALUE(name, ...)                   \
  add(#name, Kind::kValue, [&o](void* h) { \
    (void)o;                               \
    return name(Value(h), ##__VA_ARGS__);  \
  })
  VALUE(mproc_value_put_nil);
  VALUE(mproc_value_put_bool, 1);
  VALUE(mproc_value_put_int, 1);
  VALUE(mproc_value_put_uint, 1);
  VALUE(mproc_value_put_double, 1.0);
  VALUE(mproc_value_put_string, "x", 1);
  VALUE(mproc_value_put_bytes, "x", 1);
  VALUE(mproc_value_put_array, MPROC_ELEMENT_UINT8, "x", 1);
  VALUE(mproc_value_begin_list);
  VALUE(mproc_value_begin_map);
  VALUE(mproc_value_end);
  VALUE(mproc_value_encode, &o.data, &o.size);
  VALUE(mproc_value_decode, "", 1);
  VALUE(mproc_value_decode_borrowed, "", 1);
  VALUE(mproc_value_kind, 0, &o.flag);
  VALUE(mproc_value_count, 0, &o.number);
  VALUE(mproc_value_get_bool, 0, &o.flag);
  VALUE(mproc_value_get_int, 0, &o.info);
  VALUE(mproc_value_get_uint, 0, &o.number);
  VALUE(mproc_value_get_double, 0, &o.real);
  VALUE(mproc_value_get_string, 0, &o.text, &o.size);
  VALUE(mproc_value_get_bytes, 0, &o.data, &o.size);
  VALUE(mproc_value_get_array, 0, &o.flag, &o.data, &o.number);
  VALUE(mproc_value_list_at, 0, 0, &o.number);
  VALUE(mproc_value_map_at, 0, 0, &o.number, &o.number);
  VALUE(mproc_value_map_find, 0, "x", 1, &o.number);
  VALUE(mproc_value_clear);
  add(
      "mproc_value_destroy", Kind::kValue, [](void* h) { return mproc_value_destroy(Value(h)); }, MPROC_OK);
  return calls;
}

}  // namespace

const std::vector<HandleCall>& HandleCalls() {
  static const auto* calls = new std::vector<HandleCall>(MakeCalls());
  return *calls;
}

const std::vector<std::string>& OtherFunctions() {
  static const auto* names = new std::vector<std::string>{"mproc_block_create",
                                                          "mproc_client_connect",
                                                          "mproc_listener_create",
                                                          "mproc_connection_adopt",
                                                          "mproc_object_destroy",
                                                          "mproc_object_kind",
                                                          "mproc_pipe_create",
                                                          "mproc_array_create_raw",
                                                          "mproc_memory_create",
                                                          "mproc_process_add_exit_hook",
                                                          "mproc_process_authkey",
                                                          "mproc_process_set_authkey",
                                                          "mproc_segment_create",
                                                          "mproc_segment_attach",
                                                          "mproc_queue_create",
                                                          "mproc_process_active",
                                                          "mproc_process_current_is_daemon",
                                                          "mproc_process_current_name",
                                                          "mproc_process_options_create",
                                                          "mproc_process_parent",
                                                          "mproc_process_parent_join",
                                                          "mproc_process_parent_sentinel",
                                                          "mproc_lock_create",
                                                          "mproc_semaphore_create",
                                                          "mproc_event_create",
                                                          "mproc_barrier_create",
                                                          "mproc_call_object",
                                                          "mproc_call_block",
                                                          "mproc_call_bound",
                                                          "mproc_starmap_argument",
                                                          "mproc_call_reply_block",
                                                          "mproc_call_cancelled",
                                                          "mproc_call_time_left",
                                                          "mproc_task_options_create",
                                                          "mproc_call_fail",
                                                          "mproc_call_function_id",
                                                          "mproc_call_item_index",
                                                          "mproc_call_log",
                                                          "mproc_call_log_level",
                                                          "mproc_call_progress",
                                                          "mproc_call_reply",
                                                          "mproc_call_reply_alloc",
                                                          "mproc_call_set_worker_state",
                                                          "mproc_call_task_id",
                                                          "mproc_call_worker_name",
                                                          "mproc_call_worker_number",
                                                          "mproc_call_worker_state",
                                                          "mproc_forever",
                                                          "mproc_last_error_message",
                                                          "mproc_last_error_os_code",
                                                          "mproc_pool_create",
                                                          "mproc_pool_options_create",
                                                          "mproc_pool_shared",
                                                          "mproc_random_seed",
                                                          "mproc_runtime_default_workers",
                                                          "mproc_runtime_finish",
                                                          "mproc_runtime_launcher_pid",
                                                          "mproc_start_method_find",
                                                          "mproc_start_method_get",
                                                          "mproc_start_method_list",
                                                          "mproc_start_method_name",
                                                          "mproc_start_method_set",
                                                          "mproc_status_name",
                                                          "mproc_status_text",
                                                          "mproc_table_create",
                                                          "mproc_value_create",
                                                          "mproc_version_number",
                                                          "mproc_version_string",
                                                          "mproc_worker_fail",
                                                          "mproc_worker_is_worker",
                                                          "mproc_worker_start_method",
                                                          "mproc_worker_reply"};
  return *names;
}

}  // namespace hostile
