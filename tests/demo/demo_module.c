// SPDX-License-Identifier: MIT
// A module with some real work and some trouble: what `mproc map` is tried with. Items and results are texts
// without a zero byte at the end.
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <mproc/call.h>
#include <mproc/table.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "sha256.h"
#include "word_count.h"

static int32_t ReplyText(mproc_call_t* call, const char* text) {
  return mproc_call_reply(call, text, strlen(text));
}

// Makes the task fail with what the system said about this path.
static int32_t FailWithErrno(mproc_call_t* call, const char* path) {
  int error = errno;
  char message[512];
  snprintf(message, sizeof message, "%.400s: %s", path, strerror(error));
  return mproc_call_fail(call, error, "SystemError", message, NULL);
}

// Hands a file to `add` in pieces. Returns 0, or what the function is to return.
static int32_t ReadFile(mproc_call_t* call, const void* input, size_t size,
                        void (*add)(void* state, const void* data, size_t size), void* state) {
  static char piece[128 << 10];
  char path[4096];
  if (size >= sizeof path || memchr(input, 0, size)) {
    return mproc_call_fail(call, EINVAL, "BadPath", "this is no path", NULL);
  }
  memcpy(path, input, size);
  path[size] = 0;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return FailWithErrno(call, path);
  ssize_t got;
  while ((got = read(fd, piece, sizeof piece)) != 0) {
    if (got > 0) {
      add(state, piece, (size_t)got);
    } else if (errno != EINTR) {
      int32_t code = FailWithErrno(call, path);
      close(fd);
      return code;
    }
  }
  close(fd);
  return 0;
}

static void AddToSha(void* state, const void* data, size_t size) { Sha256Add(state, data, size); }
static void AddToCount(void* state, const void* data, size_t size) { WordCountAdd(state, data, size); }

// The path of a file -> what sha256sum prints first.
static int32_t HashFile(mproc_call_t* call, const void* input, size_t size, void* user_data) {
  (void)user_data;
  Sha256 sha;
  Sha256Start(&sha);
  int32_t code = ReadFile(call, input, size, AddToSha, &sha);
  if (code) return code;
  char text[65];
  Sha256End(&sha, text);
  return ReplyText(call, text);
}

// The path of a file -> "LINES WORDS BYTES" of wc.
static int32_t CountFile(mproc_call_t* call, const void* input, size_t size, void* user_data) {
  (void)user_data;
  WordCount count = {0};
  int32_t code = ReadFile(call, input, size, AddToCount, &count);
  if (code) return code;
  char text[72];
  snprintf(text, sizeof text, "%" PRIu64 " %" PRIu64 " %" PRIu64, count.lines, count.words, count.bytes);
  return ReplyText(call, text);
}

static int32_t Upper(mproc_call_t* call, const void* input, size_t size, void* user_data) {
  (void)user_data;
  void* output = NULL;
  mproc_status_t status = mproc_call_reply_alloc(call, size, &output);
  if (status != MPROC_OK) return status;
  for (size_t i = 0; i < size; i++) ((char*)output)[i] = (char)toupper(((const uint8_t*)input)[i]);
  return 0;
}

static int32_t Fail(mproc_call_t* call, const void* input, size_t size, void* user_data) {
  (void)user_data;
  char message[256];
  snprintf(message, sizeof message, "%.*s was not wanted", (int)(size < 200 ? size : 200),
           (const char*)input);
  return mproc_call_fail(call, 42, "DemoError", message, "in Fail, demo_module.c");
}

static volatile uintptr_t nowhere = 16;

// Faults on the item "crash", fails on "fail", and replies any other.
static int32_t Crash(mproc_call_t* call, const void* input, size_t size, void* user_data) {
  if (size == 5 && memcmp(input, "crash", 5) == 0) *(volatile int*)nowhere = 1;
  if (size == 4 && memcmp(input, "fail", 4) == 0) return Fail(call, input, size, user_data);
  return mproc_call_reply(call, input, size);
}

// Sleeps so many milliseconds and replies its item.
static int32_t SleepMs(mproc_call_t* call, const void* input, size_t size, void* user_data) {
  (void)user_data;
  char text[24] = "";
  memcpy(text, input, size < sizeof text ? size : sizeof text - 1);
  for (long left = strtol(text, NULL, 10); left > 0 && !mproc_call_cancelled(call); left -= 10) {
    struct timespec slice = {0, (left < 10 ? left : 10) * 1000000};
    nanosleep(&slice, NULL);
  }
  return mproc_call_reply(call, input, size);
}

// Replies the name of the worker and its process id.
static int32_t Who(mproc_call_t* call, const void* input, size_t size, void* user_data) {
  (void)input, (void)size, (void)user_data;
  char text[128];
  snprintf(text, sizeof text, "%s %d", mproc_call_worker_name(call), (int)getpid());
  return ReplyText(call, text);
}

MPROC_MODULE_ENTRY mproc_status_t mproc_module_main(mproc_table_t* table) {
  static const struct {
    const char* name;
    mproc_function_cb function;
  } kFunctions[] = {{"sha256", HashFile}, {"wc", CountFile},     {"upper", Upper}, {"fail", Fail},
                    {"crash", Crash},     {"sleep_ms", SleepMs}, {"who", Who}};
  for (uint32_t i = 0; i < sizeof kFunctions / sizeof kFunctions[0]; i++) {
    mproc_status_t status = mproc_table_add(table, i + 1, kFunctions[i].name, kFunctions[i].function, NULL);
    if (status != MPROC_OK) return status;
  }
  return MPROC_OK;
}
