// SPDX-License-Identifier: MIT
// The module of the tests of processes. Linked with libmproc, because some make processes of their own.
#include "process_functions.h"

#include <dlfcn.h>
#include <stdio.h>
#include <time.h>

#include "functions.h"
#include "module.h"

static int32_t Do_give(mproc_call_t* call, const void* input, size_t size, void* user_data) {
  (void)call, (void)user_data;
  return (int32_t)NumberIn(input, size);
}

static int32_t Do_leave(mproc_call_t* call, const void* input, size_t size, void* user_data) {
  (void)call, (void)user_data;
  int code = (int)NumberIn(input, size);
  fflush(NULL);
  // A fork has its host's exit handlers, and a sanitizer's look at what hangs on stacks that it has not got.
  if (mproc_worker_start_method() == MPROC_START_FORK) _exit(code);
  exit(code);
}

static int32_t Do_fail(mproc_call_t* call, const void* input, size_t size, void* user_data) {
  (void)input, (void)size, (void)user_data;
  return mproc_call_fail(call, 7, "Trouble", "it went wrong", "here, then there");
}

static int32_t Do_await(mproc_call_t* call, const void* input, size_t size, void* user_data) {
  void* event = NULL;
  (void)input, (void)size, (void)user_data;
  TRY(mproc_call_object(call, 0, &event));
  atomic_fetch_add(&TheBoard()->begun[0], 1);
  while (mproc_event_wait(event, 10 * MPROC_MILLISECOND) != MPROC_OK) {
    if (mproc_call_cancelled(call)) return 3;
  }
  return 0;
}

static int32_t Do_crash(mproc_call_t* call, const void* input, size_t size, void* user_data) {
  (void)call, (void)input, (void)size, (void)user_data;
  abort();
}

static int32_t Do_who(mproc_call_t* call, const void* input, size_t size, void* user_data) {
  char text[256];
  int64_t parent = 0;
  const char* name = NULL;
  (void)input, (void)size, (void)user_data;
  TRY(mproc_process_parent(&parent, &name));
  snprintf(text, sizeof text, "%s,%d,%d,%lld,%s,%s", mproc_process_current_name(),
           (int)mproc_process_current_is_daemon(), (int)getpid(), (long long)parent, name,
           mproc_start_method_name(mproc_worker_start_method()));
  return mproc_call_fail(call, 1, "Who", text, NULL);
}

static int32_t Do_count(mproc_call_t* call, const void* input, size_t size, void* user_data) {
  void* lock = NULL;
  Board* board = TheBoard();
  (void)user_data;
  TRY(mproc_call_object(call, 0, &lock));
  for (int64_t i = NumberIn(input, size); i > 0; i--) {
    TRY(mproc_lock_acquire(lock, MPROC_FOREVER));
    uint32_t seen = atomic_load_explicit(&board->ended[1], memory_order_relaxed);
    atomic_store_explicit(&board->ended[1], seen + 1, memory_order_relaxed);
    TRY(mproc_lock_release(lock));
  }
  return 0;
}

// A child of this one, of the same module.
static int32_t RunChild(int64_t give, char* text, size_t size) {
  Dl_info self;
  mproc_process_options_t* options = NULL;
  mproc_process_t* process = NULL;
  const char* name = NULL;
  const char* start = getenv("MPROC_TEST_START");
  int32_t code = 0, daemon = 0;
  if (!dladdr((void*)(uintptr_t)RunChild, &self)) return 1;
  TRY(mproc_process_options_create(&options));
  TRY(mproc_process_options_set_module(options, self.dli_fname));
  TRY(mproc_process_options_set_start_method(options, start ? atoi(start) : MPROC_START_SPAWN));
  TRY(mproc_process_options_set_function(options, process_give, &give, sizeof give));
  TRY(mproc_process_create(options, &process));
  TRY(mproc_process_options_destroy(options));
  TRY(mproc_process_start(process));
  TRY(mproc_process_join(process, MPROC_FOREVER));
  TRY(mproc_process_exit_code(process, &code));
  TRY(mproc_process_name(process, &name));
  TRY(mproc_process_is_daemon(process, &daemon));
  snprintf(text, size, "%s=%d%s", name, (int)code, daemon ? "d" : "");
  return mproc_process_destroy(process);
}

static int32_t Do_nest(mproc_call_t* call, const void* input, size_t size, void* user_data) {
  char first[100] = "", second[100] = "", both[220];
  (void)input, (void)size, (void)user_data;
  int32_t status = RunChild(0, first, sizeof first);
  if (status == MPROC_OK) status = RunChild(6, second, sizeof second);
  // A thread's runtime is that of its host, which it is a part of.
  if (mproc_worker_start_method() != MPROC_START_THREADS) mproc_runtime_finish(MPROC_FOREVER);
  TRY(status);
  snprintf(both, sizeof both, "%s,%s", first, second);
  return mproc_call_fail(call, 1, "Nest", both, NULL);
}

static int32_t Do_echo(mproc_call_t* call, const void* input, size_t size, void* user_data) {
  (void)user_data;
  char text[64] = "";
  snprintf(text, sizeof text, "%zu:%.*s", size, size < 40 ? (int)size : 40, (const char*)input);
  return mproc_call_fail(call, 1, "Echo", text, NULL);
}

static void Rest(int64_t ms) {
  struct timespec span = {ms / 1000, ms % 1000 * 1000000};
  nanosleep(&span, NULL);
}
static void WriteLine(int32_t line) {
  Board* board = TheBoard();
  atomic_store(&board->pid[kList + 1 + atomic_fetch_add(&board->begun[kList], 1)], line);
}

static int32_t Do_two_lines(mproc_call_t* call, const void* input, size_t size, void* user_data) {
  void* lock = NULL;
  (void)user_data;
  TRY(mproc_call_object(call, 0, &lock));
  TRY(mproc_lock_acquire(lock, MPROC_FOREVER));
  WriteLine((int32_t)NumberIn(input, size));
  Rest(10);
  WriteLine((int32_t)NumberIn(input, size));
  return mproc_lock_release(lock);
}

static int32_t Do_enter(mproc_call_t* call, const void* input, size_t size, void* user_data) {
  void* semaphore = NULL;
  Board* board = TheBoard();
  (void)input, (void)size, (void)user_data;
  TRY(mproc_call_object(call, 0, &semaphore));
  TRY(mproc_semaphore_acquire(semaphore, MPROC_FOREVER));
  uint32_t inside = atomic_fetch_add(&board->begun[2], 1) + 1;
  uint32_t most = atomic_load(&board->begun[3]);
  while (inside > most && !atomic_compare_exchange_weak(&board->begun[3], &most, inside)) {
  }
  // Stays until three have met, or nobody else will come.
  for (int i = 0; i < 2000 && atomic_load(&board->begun[3]) < 3; i++) Rest(1);
  atomic_fetch_sub(&board->begun[2], 1);
  return mproc_semaphore_release(semaphore, 1);
}

static int32_t Do_rounds(mproc_call_t* call, const void* input, size_t size, void* user_data) {
  void* barrier = NULL;
  (void)user_data;
  TRY(mproc_call_object(call, 0, &barrier));
  for (int64_t round = 0; round < NumberIn(input, size); round++) {
    WriteLine((int32_t)round);
    TRY(mproc_barrier_wait(barrier, MPROC_FOREVER, NULL, NULL, NULL));
  }
  return 0;
}

static int32_t GateIsOpen(void* board) { return atomic_load(&((Board*)board)->open[5]) != 0; }
static int32_t Do_until(mproc_call_t* call, const void* input, size_t size, void* user_data) {
  void* condition = NULL;
  Board* board = TheBoard();
  (void)input, (void)size, (void)user_data;
  TRY(mproc_call_object(call, 0, &condition));
  TRY(mproc_condition_acquire(condition, MPROC_FOREVER));
  atomic_fetch_add(&board->begun[5], 1);
  TRY(mproc_condition_wait_for(condition, GateIsOpen, board, MPROC_FOREVER));
  if (!GateIsOpen(board)) return 1;
  return mproc_condition_release(condition);
}

static int32_t Do_meet(mproc_call_t* call, const void* input, size_t size, void* user_data) {
  void* barrier = NULL;
  (void)input, (void)size, (void)user_data;
  TRY(mproc_call_object(call, 0, &barrier));
  atomic_fetch_add(&TheBoard()->begun[6], 1);
  int32_t status = mproc_barrier_wait(barrier, MPROC_FOREVER, NULL, NULL, NULL);
  return status == MPROC_ERROR_BARRIER_BROKEN ? 4 : status;
}

static int32_t Do_where(mproc_call_t* call, const void* input, size_t size, void* user_data) {
  char text[600], directory[256] = "";
  (void)size, (void)user_data;
  const char* value = getenv(input);
  if (!getcwd(directory, sizeof directory)) return 1;
  snprintf(text, sizeof text, "%s,%s", value ? value : "none", directory);
  return mproc_call_fail(call, 1, "Where", text, NULL);
}

static void OnExit(void* line) {
  WriteLine((int32_t)(intptr_t)line);
  if ((intptr_t)line == 3) mproc_process_add_exit_hook(OnExit, (void*)5, -2);  // a hook may add others
}

static int32_t Do_hooks(mproc_call_t* call, const void* input, size_t size, void* user_data) {
  (void)call, (void)input, (void)size, (void)user_data;
  TRY(mproc_process_add_exit_hook(OnExit, (void*)1, 0));
  TRY(mproc_process_add_exit_hook(OnExit, (void*)2, 5));
  TRY(mproc_process_add_exit_hook(OnExit, (void*)3, 0));
  TRY(mproc_process_add_exit_hook(OnExit, (void*)4, -1));
  if (mproc_process_add_exit_hook(NULL, NULL, 0) != MPROC_ERROR_INVALID_ARGUMENT) return 1;
  WriteLine(9);
  return 0;
}

static int32_t Do_key(mproc_call_t* call, const void* input, size_t size, void* user_data) {
  unsigned char key[64];
  char text[2 * sizeof key + 1];
  mproc_connection_t* connection = NULL;
  (void)user_data;
  if (size > 0) {
    TRY(mproc_client_connect(input, NULL, 0, MPROC_KEY_OF_PROCESS, MPROC_FOREVER, &connection));
    TRY(mproc_connection_send(connection, "in", 2, MPROC_FOREVER));
    TRY(mproc_connection_destroy(connection));
  }
  TRY(mproc_process_authkey(key, sizeof key, &size));
  for (size_t i = 0; i < size; i++) snprintf(text + 2 * i, 3, "%02x", key[i]);
  return mproc_call_fail(call, 1, "Key", text, NULL);
}

static int32_t Do_parent(mproc_call_t* call, const void* input, size_t size, void* user_data) {
  int32_t fd = -1, again = -1;
  uint8_t ready = 0;
  (void)call, (void)input, (void)size, (void)user_data;
  if (mproc_process_parent_join(0) != MPROC_ERROR_TIMED_OUT) return 1;
  if (mproc_process_parent_join(MPROC_MILLISECOND) != MPROC_ERROR_TIMED_OUT) return 2;
  if (mproc_process_parent_sentinel(NULL) != MPROC_ERROR_INVALID_ARGUMENT) return 3;
  mproc_status_t status = mproc_process_parent_sentinel(&fd);
  if (status == MPROC_ERROR_UNSUPPORTED) return 0;
  if (status != MPROC_OK || fd < 3) return 4;
  if (mproc_wait(NULL, 0, &fd, 1, 0, &ready, NULL) != MPROC_ERROR_TIMED_OUT) return 5;
  return mproc_process_parent_sentinel(&again) == MPROC_OK && again == fd ? 0 : 6;
}

static int32_t Do_outlive(mproc_call_t* call, const void* input, size_t size, void* user_data) {
  (void)call, (void)input, (void)size, (void)user_data;
  int32_t fd = -1;
  uint8_t ready = 0;
  mproc_status_t status = mproc_process_parent_sentinel(&fd);
  if (status != MPROC_ERROR_UNSUPPORTED) TRY(status);
  atomic_fetch_add(&TheBoard()->begun[0], 1);
  TRY(mproc_process_parent_join(MPROC_FOREVER));
  if (fd >= 0) TRY(mproc_wait(NULL, 0, &fd, 1, 0, &ready, NULL));
  TRY(mproc_process_parent_join(0));
  atomic_fetch_add(&TheBoard()->begun[1], 1);
  return 0;
}

MODULE_OF(PROCESS_FUNCTIONS)
