// SPDX-License-Identifier: MIT
// What the programs that make processes share: making them, asking and taking them.
#ifndef MPROC_TESTS_PROCESSES_H
#define MPROC_TESTS_PROCESSES_H

#include "host.h"
#include "process_functions.h"

static inline int Threads(void) { return TestStart() == MPROC_START_THREADS; }

static inline mproc_process_options_t* ProcessOptions(uint32_t function, const void* data, size_t size) {
  mproc_process_options_t* options = NULL;
  OpenBoard();
  NEED_OK(mproc_process_options_create(&options));
  NEED_OK(mproc_process_options_set_module(options, TEST_MODULE_PROCESS));
  NEED_OK(mproc_process_options_set_start_method(options, TestStart()));
  NEED_OK(mproc_process_options_set_fork_with_threads(options, 1));
  NEED_OK(mproc_process_options_set_function(options, function, data, size));
  return options;
}
static inline mproc_process_t* MakeWith(mproc_process_options_t* options) {
  mproc_process_t* process = NULL;
  NEED_OK(mproc_process_create(options, &process));
  NEED_OK(mproc_process_options_destroy(options));
  return process;
}
static inline mproc_process_t* StartWith(mproc_process_options_t* options) {
  mproc_process_t* process = MakeWith(options);
  NEED_OK(mproc_process_start(process));
  return process;
}
static inline mproc_process_t* StartNumber(uint32_t function, int64_t number) {
  return StartWith(ProcessOptions(function, &number, sizeof number));
}
static inline int32_t ExitCode(mproc_process_t* process) {
  int32_t code = INT32_MIN;
  CHECK_OK(mproc_process_exit_code(process, &code));
  return code;
}
static inline int32_t Alive(mproc_process_t* process) {
  int32_t alive = -1;
  CHECK_OK(mproc_process_is_alive(process, &alive));
  return alive;
}
static inline const char* NameOf(mproc_process_t* process) {
  const char* name = NULL;
  NEED_OK(mproc_process_name(process, &name));
  return name;
}
static inline int64_t PidOf(mproc_process_t* process) {
  int64_t pid = 0;
  NEED_OK(mproc_process_pid(process, &pid));
  return pid;
}
static inline int32_t TakeCode(mproc_process_t* process) {
  NEED_OK(mproc_process_join(process, TestLong()));
  CHECK_EQ(Alive(process), 0);
  int32_t code = ExitCode(process);
  CHECK_OK(mproc_process_destroy(process));
  return code;
}
// What it failed with, until the next one is taken.
static inline const char* TakeMessage(mproc_process_t* process) {
  static char text[512];
  const char* message = NULL;
  NEED_OK(mproc_process_join(process, TestLong()));
  NEED_OK(mproc_process_failure(process, NULL, NULL, &message, NULL));
  snprintf(text, sizeof text, "%s", message);
  CHECK_OK(mproc_process_destroy(process));
  return text;
}
static inline mproc_event_t* NewEvent(void) {
  mproc_event_t* event = NULL;
  NEED_OK(mproc_event_create(&event));
  return event;
}
// Waits for the event.
static inline mproc_process_options_t* Waiting(mproc_event_t* event) {
  void* object = event;
  mproc_process_options_t* options = ProcessOptions(process_await, NULL, 0);
  NEED_OK(mproc_process_options_set_objects(options, &object, 1));
  return options;
}

#endif
