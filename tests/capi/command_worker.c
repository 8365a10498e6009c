// SPDX-License-Identifier: MIT
// A program that a pool runs as its command. Its argument says what goes wrong.
#include <mproc/mproc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int32_t Double(mproc_call_t* call, const void* input, size_t size, void* user_data) {
  (void)user_data;
  int64_t number = 0;
  if (size != sizeof number) return mproc_call_fail(call, 7, "BadInput", "no number", "here\nthere");
  memcpy(&number, input, sizeof number);
  number *= 2;
  return mproc_call_reply(call, &number, sizeof number);
}
static int32_t Environment(mproc_call_t* call, const void* input, size_t size, void* user_data) {
  (void)user_data;
  char name[256] = "", place[4096];
  if (size < sizeof name) memcpy(name, input, size);
  const char* value = size ? getenv(name) : getcwd(place, sizeof place);
  return value ? mproc_call_reply(call, value, strlen(value)) : -1;
}
static int32_t Crash(mproc_call_t* call, const void* input, size_t size, void* user_data) {
  (void)call, (void)input, (void)size, (void)user_data;
  abort();
}
static int32_t Hang(mproc_call_t* call, const void* input, size_t size, void* user_data) {
  (void)call, (void)input, (void)size, (void)user_data;
  for (;;) pause();
  return 0;
}
static int32_t Print(mproc_call_t* call, const void* input, size_t size, void* user_data) {
  (void)call, (void)user_data;
  fprintf(stderr, "%.*s", (int)size, (const char*)input);
  return 0;
}

// Serves the same functions in the pull form; fills the time without tasks with looking at the clock.
static mproc_status_t Pull(mproc_table_t* table) {
  static const mproc_function_cb functions[] = {NULL, Double, Environment, Crash, Hang, Print};
  for (;;) {
    mproc_call_t *call = NULL, *other = NULL;
    const void* input = NULL;
    size_t size = 0;
    mproc_status_t status = mproc_worker_next(table, 20 * MPROC_MILLISECOND, &call, &input, &size);
    if (status == MPROC_ERROR_TIMED_OUT) continue;
    if (status != MPROC_OK || !call) return status;
    uint32_t id = mproc_call_function_id(call);
    if (mproc_worker_next(table, 0, &other, &input, &size) != MPROC_ERROR_BUSY || other) return -1;
    if (id == 1 && size == sizeof(int64_t)) {
      int64_t number;
      memcpy(&number, input, sizeof number);
      number *= 2;
      status = mproc_worker_reply(call, &number, sizeof number);
    } else if (id == 1) {
      status = mproc_worker_fail(call, 7, "BadInput", "no number", "here\nthere");
    } else if (functions[id](call, input, size, NULL) != 0) {
      status = mproc_worker_fail(call, -1, NULL, NULL, NULL);
    } else {
      status = mproc_worker_reply(call, NULL, 0);
    }
    if (status != MPROC_OK) return status;
    if (mproc_worker_reply(call, NULL, 0) != MPROC_ERROR_INVALID_ARGUMENT) return -1;
  }
}

int main(int argc, char** argv) {
  const char* how = argc > 1 ? argv[1] : "";
  mproc_table_t* table = NULL;
  if (strcmp(how, "die") == 0) {
    for (int i = 0; i < 1000; i++) fprintf(stderr, "line %d of many\n", i);
    fprintf(stderr, "no such thing: %s\n", argc > 2 ? argv[2] : "");
    return 3;
  }
  if (strcmp(how, "hang") == 0) {
    fprintf(stderr, "waiting for Godot\n");
    for (;;) pause();
  }
  if (strcmp(how, "warn") == 0) fprintf(stderr, "a warning at the start\n");
  mproc_status_t status = mproc_table_create(&table);
  if (status == MPROC_OK) status = mproc_table_add(table, 1, "double", Double, NULL);
  if (status == MPROC_OK) status = mproc_table_add(table, 2, "environment", Environment, NULL);
  if (status == MPROC_OK) status = mproc_table_add(table, 3, "crash", Crash, NULL);
  if (status == MPROC_OK) status = mproc_table_add(table, 4, "hang", Hang, NULL);
  if (status == MPROC_OK) status = mproc_table_add(table, 5, "print", Print, NULL);
  if (status == MPROC_OK) status = strcmp(how, "pull") == 0 ? Pull(table) : mproc_worker_serve(table);
  if (strcmp(how, "alone") == 0) return status == MPROC_ERROR_NOT_RUNNING ? 0 : 1;
  // It serves once, and ends by itself when it was told to.
  if (status == MPROC_OK && mproc_worker_serve(table) != MPROC_ERROR_NOT_RUNNING) return 2;
  return status == MPROC_OK ? 0 : 1;
}
