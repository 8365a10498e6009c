// SPDX-License-Identifier: MIT
// The module that the workers of `mproc bench` load. Not linked with libmproc: mproc-worker brings the calls.
#include <mproc/mproc.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench_functions.hh"

static uint64_t Same(uint64_t x) { return x; }
static uint64_t (*volatile work)(uint64_t) = Same;

static int64_t CpuTime(void) {
  struct timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

// Replies its eight bytes after a call that no compiler can leave out.
static int32_t Noop(mproc_call_t* call, const void* input, size_t size, void* user_data) {
  (void)user_data;
  uint64_t x = 0;
  if (size != sizeof x) return mproc_call_fail(call, 1, "BadInput", "noop takes eight bytes", NULL);
  memcpy(&x, input, sizeof x);
  x = work(x);
  return mproc_call_reply(call, &x, sizeof x);
}

static int32_t Echo(mproc_call_t* call, const void* input, size_t size, void* user_data) {
  (void)user_data;
  return mproc_call_reply(call, input, size);
}

static int32_t UseCpu(int64_t nanoseconds) {
  int64_t end = CpuTime() + nanoseconds;
  while (CpuTime() < end) {
  }
  return 0;
}

// Uses a millisecond of CPU time.
static int32_t Busy(mproc_call_t* call, const void* input, size_t size, void* user_data) {
  (void)call, (void)input, (void)size, (void)user_data;
  return UseCpu(1000000);
}

// Uses as many nanoseconds of CPU time as its eight bytes say.
static int32_t Spin(mproc_call_t* call, const void* input, size_t size, void* user_data) {
  (void)user_data;
  int64_t time = 0;
  if (size != sizeof time) return mproc_call_fail(call, 1, "BadInput", "spin takes eight bytes", NULL);
  memcpy(&time, input, sizeof time);
  return UseCpu(time);
}

// Does nothing until its worker is ended.
static int32_t Block(mproc_call_t* call, const void* input, size_t size, void* user_data) {
  (void)input, (void)size, (void)user_data;
  struct timespec second = {1, 0};
  while (!mproc_call_cancelled(call)) nanosleep(&second, NULL);
  return 0;
}

// What noop does, for a whole array in one task.
static int32_t Range(mproc_call_t* call, const void* input, size_t size, void* user_data) {
  (void)user_data;
  void* output = NULL;
  mproc_status_t status = mproc_call_reply_alloc(call, size, &output);
  if (status != MPROC_OK) return status;
  const uint64_t* from = input;
  uint64_t* to = output;
  for (size_t i = 0; i < size / sizeof *to; i++) to[i] = work(from[i]);
  return 0;
}

// Answers a block where it lies, after a change of its first and last byte.
static int32_t InPlace(mproc_call_t* call, const void* input, size_t size, void* user_data) {
  (void)input, (void)user_data;
  void* block = NULL;
  size_t whole = 0;
  mproc_status_t status = mproc_call_block(call, &block, &whole);
  if (status != MPROC_OK) return status;
  unsigned char* bytes = block;
  bytes[0]++, bytes[whole - 1]++;
  return mproc_call_reply_block(call, 0, size);
}

// ---- members of a crew (crew.hh): what they work on, "ready", the event to begin at, "through"

typedef struct {
  uint64_t times;
  uint64_t size;
} CrewTask;

static mproc_status_t Begin(mproc_call_t* call, const void* input, size_t size, CrewTask* task,
                            void* objects[4]) {
  mproc_status_t status = MPROC_OK;
  if (size != sizeof *task) return mproc_call_fail(call, 1, "BadInput", "it takes a CrewTask", NULL);
  memcpy(task, input, sizeof *task);
  for (size_t i = 0; i < 4 && status == MPROC_OK; i++) status = mproc_call_object(call, i, &objects[i]);
  if (status == MPROC_OK) status = mproc_semaphore_release(objects[1], 1);
  return status == MPROC_OK ? mproc_event_wait(objects[2], MPROC_FOREVER) : status;
}

// Puts so many items of a size into the queue.
static int32_t Put(mproc_call_t* call, const void* input, size_t size, void* user_data) {
  CrewTask task;
  void* objects[4];
  (void)user_data;
  mproc_status_t status = Begin(call, input, size, &task, objects);
  if (status != MPROC_OK) return status;
  void* item = calloc(1, task.size);
  if (!item) return MPROC_ERROR_OUT_OF_MEMORY;
  for (uint64_t i = 0; i < task.times && status == MPROC_OK; i++)
    status = mproc_queue_put(objects[0], item, task.size, MPROC_FOREVER);
  free(item);
  return status == MPROC_OK ? mproc_semaphore_release(objects[3], 1) : status;
}

// Takes items out of the queue until an empty one comes.
static int32_t Take(mproc_call_t* call, const void* input, size_t size, void* user_data) {
  CrewTask task;
  void* objects[4];
  (void)user_data;
  mproc_status_t status = Begin(call, input, size, &task, objects);
  if (status != MPROC_OK) return status;
  void* item = malloc(task.size);
  if (!item) return MPROC_ERROR_OUT_OF_MEMORY;
  for (size = 1; size > 0 && status == MPROC_OK;)
    status = mproc_queue_get_into(objects[0], item, task.size, &size, MPROC_FOREVER);
  free(item);
  return status == MPROC_OK ? mproc_semaphore_release(objects[3], 1) : status;
}

// Acquires and releases the lock so many times.
static int32_t HandOver(mproc_call_t* call, const void* input, size_t size, void* user_data) {
  CrewTask task;
  void* objects[4];
  (void)user_data;
  mproc_status_t status = Begin(call, input, size, &task, objects);
  for (uint64_t i = 0; status == MPROC_OK && i < task.times; i++) {
    status = mproc_lock_acquire(objects[0], MPROC_FOREVER);
    if (status == MPROC_OK) status = mproc_lock_release(objects[0]);
  }
  return status == MPROC_OK ? mproc_semaphore_release(objects[3], 1) : status;
}

MPROC_MODULE_ENTRY mproc_status_t mproc_module_main(mproc_table_t* table) {
  mproc_status_t status = mproc_table_add(table, kNoop, "noop", Noop, NULL);
  if (status == MPROC_OK) status = mproc_table_add(table, kEcho, "echo", Echo, NULL);
  if (status == MPROC_OK) status = mproc_table_add(table, kBusy, "busy", Busy, NULL);
  if (status == MPROC_OK) status = mproc_table_add(table, kBlock, "block", Block, NULL);
  if (status == MPROC_OK) status = mproc_table_add(table, kRange, "range", Range, NULL);
  if (status == MPROC_OK) status = mproc_table_add(table, kInPlace, "in place", InPlace, NULL);
  if (status == MPROC_OK) status = mproc_table_add(table, kSpin, "spin", Spin, NULL);
  if (status == MPROC_OK) status = mproc_table_add(table, kPut, "put", Put, NULL);
  if (status == MPROC_OK) status = mproc_table_add(table, kTake, "take", Take, NULL);
  if (status == MPROC_OK) status = mproc_table_add(table, kHandOver, "hand over", HandOver, NULL);
  return status;
}
