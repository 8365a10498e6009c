// SPDX-License-Identifier: MIT
#include "object_calls.hh"

namespace hostile {
namespace {

// Places for what the calls write.
size_t g_size;
uint64_t g_number;
int64_t g_info;
int32_t g_flag;
const char* g_text;
char g_buffer[64];
const char* const kCommand[] = {"/nowhere"};

// With a null handle: an error, or, of those that destroy, nothing.
#define CALL(name, type, kind, ...)                                                    \
  add(                                                                                 \
      #name, kind, [](void* h) { return name(static_cast<type*>(h), ##__VA_ARGS__); }, \
      MPROC_ERROR_INVALID_ARGUMENT)
#define GONE(name, type, kind) \
  add(                         \
      #name, kind, [](void* h) { return name(static_cast<type*>(h)); }, MPROC_OK)

// Makes an object out of another one; `null` is what it says without that.
#define MAKES(name, kind, made_type, null, ...)           \
  add(                                                    \
      #name, kind,                                        \
      [](void* h) {                                       \
        made_type##_t* made = nullptr;                    \
        mproc_status_t status = name(__VA_ARGS__, &made); \
        made_type##_destroy(made);                        \
        return status;                                    \
      },                                                  \
      null)

void AddProcess(const Add& add) {
  CALL(mproc_process_join, mproc_process_t, Kind::kProcess, 0);
  CALL(mproc_process_terminate, mproc_process_t, Kind::kProcess);
  CALL(mproc_process_kill, mproc_process_t, Kind::kProcess);
  CALL(mproc_process_signal, mproc_process_t, Kind::kProcess, 1);
  CALL(mproc_process_is_alive, mproc_process_t, Kind::kProcess, &g_flag);
  CALL(mproc_process_exit_code, mproc_process_t, Kind::kProcess, &g_flag);
  CALL(mproc_process_pid, mproc_process_t, Kind::kProcess, &g_info);
  CALL(mproc_process_sentinel, mproc_process_t, Kind::kProcess, &g_flag);
  CALL(mproc_process_name, mproc_process_t, Kind::kProcess, &g_text);
  CALL(mproc_process_is_daemon, mproc_process_t, Kind::kProcess, &g_flag);
  CALL(mproc_process_failure, mproc_process_t, Kind::kProcess, nullptr, nullptr, nullptr, nullptr);
  CALL(mproc_process_start, mproc_process_t, Kind::kProcess);
  GONE(mproc_process_destroy, mproc_process_t, Kind::kProcess);
#define OPTION(name, ...) CALL(name, mproc_process_options_t, Kind::kProcessOptions, ##__VA_ARGS__)
  OPTION(mproc_process_options_set_function, 1, "x", 1);
  OPTION(mproc_process_options_set_objects, nullptr, 0);
  OPTION(mproc_process_options_set_name, "name");
  OPTION(mproc_process_options_set_daemon, 0);
  OPTION(mproc_process_options_set_start_method, MPROC_START_SPAWN);
  OPTION(mproc_process_options_set_fork_with_threads, 0);
  OPTION(mproc_process_options_set_module, "/nowhere.so");
  OPTION(mproc_process_options_set_table, nullptr);
  OPTION(mproc_process_options_set_environment, "MPROC_NOTHING", nullptr);
  OPTION(mproc_process_options_set_command, kCommand, 1);
  OPTION(mproc_process_options_set_directory, "/");
  OPTION(mproc_process_options_set_worker_program, "/nowhere");
#undef OPTION
  MAKES(mproc_process_create, Kind::kProcessOptions, mproc_process, MPROC_ERROR_INVALID_ARGUMENT,
        static_cast<mproc_process_options_t*>(h));
  GONE(mproc_process_options_destroy, mproc_process_options_t, Kind::kProcessOptions);
}

void AddSync(const Add& add) {
  CALL(mproc_lock_acquire, mproc_lock_t, Kind::kLock, 0);
  CALL(mproc_lock_release, mproc_lock_t, Kind::kLock);
  CALL(mproc_lock_holder, mproc_lock_t, Kind::kLock, nullptr, nullptr, nullptr);
  MAKES(mproc_condition_create, Kind::kLock, mproc_condition, MPROC_OK, static_cast<mproc_lock_t*>(h));
  GONE(mproc_lock_destroy, mproc_lock_t, Kind::kLock);
  CALL(mproc_semaphore_acquire, mproc_semaphore_t, Kind::kSemaphore, 0);
  CALL(mproc_semaphore_release, mproc_semaphore_t, Kind::kSemaphore, 1);
  CALL(mproc_semaphore_value, mproc_semaphore_t, Kind::kSemaphore, &g_info);
  GONE(mproc_semaphore_destroy, mproc_semaphore_t, Kind::kSemaphore);
  CALL(mproc_event_set, mproc_event_t, Kind::kEvent);
  CALL(mproc_event_clear, mproc_event_t, Kind::kEvent);
  CALL(mproc_event_is_set, mproc_event_t, Kind::kEvent, &g_flag);
  CALL(mproc_event_wait, mproc_event_t, Kind::kEvent, 0);
  GONE(mproc_event_destroy, mproc_event_t, Kind::kEvent);
  CALL(mproc_condition_acquire, mproc_condition_t, Kind::kCondition, 0);
  CALL(mproc_condition_release, mproc_condition_t, Kind::kCondition);
  CALL(mproc_condition_wait, mproc_condition_t, Kind::kCondition, 0);
  CALL(mproc_condition_wait_for, mproc_condition_t, Kind::kCondition, nullptr, nullptr, 0);
  CALL(mproc_condition_notify, mproc_condition_t, Kind::kCondition, 1);
  GONE(mproc_condition_destroy, mproc_condition_t, Kind::kCondition);
  CALL(mproc_barrier_wait, mproc_barrier_t, Kind::kBarrier, 0, nullptr, nullptr, nullptr);
  CALL(mproc_barrier_abort, mproc_barrier_t, Kind::kBarrier);
  CALL(mproc_barrier_reset, mproc_barrier_t, Kind::kBarrier);
  CALL(mproc_barrier_state, mproc_barrier_t, Kind::kBarrier, nullptr, nullptr, nullptr);
  GONE(mproc_barrier_destroy, mproc_barrier_t, Kind::kBarrier);
}

void AddConnections(const Add& add) {
  static mproc_message_t* message;
  static mproc_connection_t* accepted;
  static void* object;
  CALL(mproc_connection_send, mproc_connection_t, Kind::kConnection, "x", 1, 0);
  CALL(mproc_connection_send_objects, mproc_connection_t, Kind::kConnection, "x", 1, nullptr, 0, 0);
  CALL(mproc_connection_receive, mproc_connection_t, Kind::kConnection, 0, &message);
  CALL(mproc_connection_receive_objects, mproc_connection_t, Kind::kConnection, 0, &message);
  CALL(mproc_connection_receive_into, mproc_connection_t, Kind::kConnection, g_buffer, sizeof g_buffer,
       &g_size, 0);
  CALL(mproc_connection_poll, mproc_connection_t, Kind::kConnection, 0);
  CALL(mproc_connection_set_limit, mproc_connection_t, Kind::kConnection, 1000);
  CALL(mproc_connection_fd, mproc_connection_t, Kind::kConnection, &g_flag);
  add(
      "mproc_wait", Kind::kConnection,
      [](void* h) {
        auto* connection = static_cast<mproc_connection_t*>(h);
        uint8_t ready = 0;
        return mproc_wait(&connection, 1, nullptr, 0, 0, &ready, nullptr);
      },
      MPROC_ERROR_INVALID_ARGUMENT);
  GONE(mproc_connection_destroy, mproc_connection_t, Kind::kConnection);
  CALL(mproc_message_data, mproc_message_t, Kind::kMessage, nullptr, &g_size);
  CALL(mproc_message_object, mproc_message_t, Kind::kMessage, 0, &object);
  GONE(mproc_message_destroy, mproc_message_t, Kind::kMessage);
  CALL(mproc_listener_accept, mproc_listener_t, Kind::kListener, 0, &accepted);
  CALL(mproc_listener_address, mproc_listener_t, Kind::kListener, &g_text);
  CALL(mproc_listener_fd, mproc_listener_t, Kind::kListener, &g_flag);
  CALL(mproc_listener_refused, mproc_listener_t, Kind::kListener, &g_number);
  CALL(mproc_listener_set_proof_limit, mproc_listener_t, Kind::kListener, 1);
  GONE(mproc_listener_destroy, mproc_listener_t, Kind::kListener);
}

void AddShared(const Add& add) {
  static mproc_message_t* message;
  static mproc_lock_t* lock;
  static void* data;
  static mproc_segment_t* segment;
  static mproc_value_t* item;
  CALL(mproc_segment_data, mproc_segment_t, Kind::kSegment, &data, &g_size);
  CALL(mproc_segment_name, mproc_segment_t, Kind::kSegment, &g_text);
  CALL(mproc_segment_unlink, mproc_segment_t, Kind::kSegment);
  GONE(mproc_segment_destroy, mproc_segment_t, Kind::kSegment);
  CALL(mproc_shareable_list_count, mproc_segment_t, Kind::kSegment, &g_number);
  CALL(mproc_shareable_list_get, mproc_segment_t, Kind::kSegment, 0, item);
  CALL(mproc_shareable_list_set, mproc_segment_t, Kind::kSegment, 0, item);
  add(
      "mproc_shareable_list_create", Kind::kValue,
      [](void* h) { return mproc_shareable_list_create(nullptr, static_cast<mproc_value_t*>(h), &segment); },
      MPROC_ERROR_INVALID_ARGUMENT);
  CALL(mproc_memory_data, mproc_memory_t, Kind::kMemory, &data, &g_size);
  GONE(mproc_memory_destroy, mproc_memory_t, Kind::kMemory);
  MAKES(mproc_array_create, Kind::kLock, mproc_array, MPROC_OK, MPROC_TYPE_INT, 0, 1,
        static_cast<mproc_lock_t*>(h));
  CALL(mproc_array_shape, mproc_array_t, Kind::kArray, nullptr, &g_size, nullptr);
  CALL(mproc_array_data, mproc_array_t, Kind::kArray, &data);
  CALL(mproc_array_get, mproc_array_t, Kind::kArray, 0, 1, g_buffer, 0);
  CALL(mproc_array_set, mproc_array_t, Kind::kArray, 0, 1, g_buffer, 0);
  CALL(mproc_array_acquire, mproc_array_t, Kind::kArray, 0);
  CALL(mproc_array_release, mproc_array_t, Kind::kArray);
  CALL(mproc_array_lock, mproc_array_t, Kind::kArray, &lock);
  GONE(mproc_array_destroy, mproc_array_t, Kind::kArray);
  CALL(mproc_queue_put, mproc_queue_t, Kind::kQueue, "x", 1, 0);
  CALL(mproc_queue_put_objects, mproc_queue_t, Kind::kQueue, "x", 1, nullptr, 0, 0);
  CALL(mproc_queue_get, mproc_queue_t, Kind::kQueue, 0, &message);
  CALL(mproc_queue_get_into, mproc_queue_t, Kind::kQueue, g_buffer, sizeof g_buffer, &g_size, 0);
  CALL(mproc_queue_count, mproc_queue_t, Kind::kQueue, &g_number, nullptr, nullptr, nullptr);
  CALL(mproc_queue_task_done, mproc_queue_t, Kind::kQueue);
  CALL(mproc_queue_join, mproc_queue_t, Kind::kQueue, 0);
  CALL(mproc_queue_close, mproc_queue_t, Kind::kQueue);
  GONE(mproc_queue_destroy, mproc_queue_t, Kind::kQueue);
}

}  // namespace

void AddObjectCalls(const Add& add) {
  AddProcess(add);
  AddSync(add);
  AddConnections(add);
  AddShared(add);
}

}  // namespace hostile
