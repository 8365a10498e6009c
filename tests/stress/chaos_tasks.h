// SPDX-License-Identifier: MIT
// What the workers of the chaos run: functions that work, fail, crash, leak, swell, hang, tell, and use pools
// of their own. The same in the program itself and in the module. All but echo take an Order; all but echo
// and number give its number's square.
#ifndef MPROC_TESTS_CHAOS_TASKS_H
#define MPROC_TESTS_CHAOS_TASKS_H

#include <mproc/call.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

typedef struct {
  int64_t number;
  int64_t way;  // of several that the function has: any number
} Order;

// X(id, name): the first has the array form, too.
#define CHAOS_FUNCTIONS(X) \
  X(1, square)             \
  X(2, doze)               \
  X(3, echo)               \
  X(4, fail)               \
  X(5, leak)               \
  X(6, crash)              \
  X(7, linger)             \
  X(8, hang)               \
  X(9, swell)              \
  X(10, log)               \
  X(11, number)
enum { kRecords = 3 };  // that a task of log writes and the pools want
enum {
#define CHAOS_ID(id, name) chaos_##name = id,
  CHAOS_FUNCTIONS(CHAOS_ID)
#undef CHAOS_ID
      chaos_nest = 100  // in the program only: a module has no pools
};

#define CHAOS_FUNCTION(name) \
  static int32_t Chaos_##name(mproc_call_t* call, const void* input, size_t size, void* user_data)

static inline Order OrderOf(const void* input, size_t size) {
  Order order = {0, 0};
  memcpy(&order, input, size < sizeof order ? size : sizeof order);
  return order;
}
static inline void Doze(int64_t microseconds) {
  struct timespec span = {0, microseconds * 1000};
  nanosleep(&span, NULL);
}

CHAOS_FUNCTION(square) {
  (void)user_data;
  int64_t number = OrderOf(input, size).number;
  number *= number;
  return mproc_call_reply(call, &number, sizeof number);
}
CHAOS_FUNCTION(doze) {
  Doze(OrderOf(input, size).way % 3000);
  return Chaos_square(call, input, size, user_data);
}
CHAOS_FUNCTION(echo) {
  (void)user_data;
  return mproc_call_reply(call, input, size);
}
CHAOS_FUNCTION(fail) {
  (void)input, (void)size, (void)user_data;
  return mproc_call_fail(call, 3, "ChaosError", "as it was told to", "nowhere");
}
CHAOS_FUNCTION(leak) {
  static void* volatile lost;
  lost = malloc(100000);
  if (lost) memset(lost, 1, 100000);
  return Chaos_square(call, input, size, user_data);
}
CHAOS_FUNCTION(crash) {
  (void)call, (void)user_data;
  switch (OrderOf(input, size).way % 4) {
    case 0:
      abort();
    case 1:
      exit(3);
    case 2:
      kill(getpid(), SIGKILL);
      break;
    default:
      *(volatile int* volatile)NULL = 1;
  }
  return 1;
}
// Ends a little after it was told to, and tells how far it is.
CHAOS_FUNCTION(linger) {
  const int64_t total = OrderOf(input, size).way % 20 + 1;
  for (int64_t done = 0; done < total && !mproc_call_cancelled(call); done++) {
    mproc_call_progress(call, (uint64_t)done, (uint64_t)total);
    Doze(1000);
  }
  return Chaos_square(call, input, size, user_data);
}
CHAOS_FUNCTION(hang) {
  (void)call, (void)input, (void)size, (void)user_data;
  signal(SIGTERM, SIG_IGN);
  for (;;) pause();
  return 0;
}
// Keeps some memory for good, or asks for more than a limit allows.
CHAOS_FUNCTION(swell) {
  static void* volatile kept;
  const int64_t way = OrderOf(input, size).way;
  const size_t bytes = (size_t)(way % 8 ? way % 16 + 1 : 4096) << 20;
  kept = malloc(bytes);
  if (!kept) return mproc_call_fail(call, 12, "OutOfMemory", "malloc gave nothing", NULL);
  if (way % 8) memset(kept, 1, bytes);
  return Chaos_square(call, input, size, user_data);
}
CHAOS_FUNCTION(log) {
  char text[32];
  const int length = snprintf(text, sizeof text, "%lld", (long long)OrderOf(input, size).number);
  mproc_status_t status = mproc_call_log(call, MPROC_LOG_DEBUG, "unwanted", 8);
  for (int i = 0; i < kRecords && !status; i++) {
    status = mproc_call_log(call, MPROC_LOG_INFO, text, (size_t)length);
  }
  return status ? status : Chaos_square(call, input, size, user_data);
}
CHAOS_FUNCTION(number) {
  (void)input, (void)size, (void)user_data;
  const uint32_t number = mproc_call_worker_number(call);
  return mproc_call_reply(call, &number, sizeof number);
}

static inline mproc_status_t ChaosTable(mproc_table_t* table) {
  mproc_status_t status = MPROC_OK;
#define CHAOS_ADD(id, name) \
  if (status == MPROC_OK) status = mproc_table_add(table, id, #name, Chaos_##name, NULL);
  CHAOS_FUNCTIONS(CHAOS_ADD)
#undef CHAOS_ADD
  return status;
}

#endif
