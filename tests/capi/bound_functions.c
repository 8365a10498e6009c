// SPDX-License-Identifier: MIT
// The module of the tests of bound arguments and of several arguments.
#include "bound_functions.h"

#include <mproc/call.h>
#include <mproc/starmap.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "functions.h"

static int32_t DoPartial(mproc_call_t* call, const void* input, size_t size, void* user_data) {
  const void* data = NULL;
  size_t bound = 0;
  Partial partial = {0};
  Fixed fixed;
  (void)user_data;
  mproc_status_t status = mproc_call_bound(call, &data, &bound);
  if (status) return status;
  if (bound != sizeof fixed || size != sizeof partial.third) return 1;
  memcpy(&fixed, data, sizeof fixed);
  memcpy(&partial.third, input, sizeof partial.third);
  partial.first = fixed.first;
  partial.second = fixed.second;
  partial.sum = SumOf(data, bound).sum;
  partial.item = mproc_call_item_index(call);
  partial.function = mproc_call_function_id(call);
  partial.pid = getpid();
  return mproc_call_reply(call, &partial, sizeof partial);
}

static uint64_t InodeAt(uint64_t address) {
  char line[512];
  uint64_t found = 0;
  FILE* maps = fopen("/proc/self/maps", "re");
  while (maps && fgets(line, sizeof line, maps)) {
    unsigned long from, to, inode;
    if (sscanf(line, "%lx-%lx %*s %*s %*s %lu", &from, &to, &inode) != 3) continue;
    if (address >= from && address < to) found = inode;
  }
  if (maps) fclose(maps);
  return found;
}

static int32_t DoPeek(mproc_call_t* call, const void* input, size_t size, void* user_data) {
  const unsigned char* data = NULL;
  size_t bound = 0;
  int64_t offset = 0;
  (void)user_data;
  mproc_status_t status = mproc_call_bound(call, (const void**)&data, &bound);
  if (status) return status;
  if (size != sizeof offset) return 1;
  memcpy(&offset, input, sizeof offset);
  int32_t byte = (uint64_t)offset < bound ? data[offset] : -1;
  Peek peek = {bound, (uint64_t)(uintptr_t)data, InodeAt((uint64_t)(uintptr_t)data), byte, getpid()};
  return mproc_call_reply(call, &peek, sizeof peek);
}

static int32_t DoUnbound(mproc_call_t* call, const void* input, size_t size, void* user_data) {
  const void* data = NULL;
  size_t bound = 0;
  (void)input, (void)size, (void)user_data;
  mproc_status_t status = mproc_call_bound(call, &data, &bound);
  int32_t any = data != NULL;
  return status ? status : mproc_call_reply(call, &any, sizeof any);
}

static int32_t DoScribble(mproc_call_t* call, const void* input, size_t size, void* user_data) {
  const void* data = NULL;
  size_t bound = 0;
  (void)input, (void)size, (void)user_data;
  mproc_status_t status = mproc_call_bound(call, &data, &bound);
  if (status) return status;
  ((volatile unsigned char*)(uintptr_t)data)[bound / 2] = 0xee;
  return 0;
}

static int32_t DoWait(mproc_call_t* call, const void* input, size_t size, void* user_data) {
  static Board* board;
  int64_t cell = 0;
  struct timespec moment = {0, 1000000};
  if (!board) board = MapBoard(getenv(TEST_BOARD), 0);
  if (!board || size != sizeof cell) return 1;
  memcpy(&cell, input, sizeof cell);
  atomic_fetch_add(&board->begun[cell], 1);
  while (!atomic_load(&board->open[cell]) && !atomic_load(&board->all_open)) nanosleep(&moment, NULL);
  return DoPeek(call, input, size, user_data);
}

static int32_t DoLimit(mproc_call_t* call, const void* input, size_t size, void* user_data) {
  struct rlimit limit;
  int64_t number = 0;
  (void)call, (void)user_data;
  if (size != sizeof number || getrlimit(RLIMIT_NOFILE, &limit)) return 1;
  memcpy(&number, input, sizeof number);
  limit.rlim_cur = (rlim_t)number;
  return setrlimit(RLIMIT_NOFILE, &limit);
}

static int32_t DoPower(mproc_call_t* call, const void* input, size_t size, void* user_data) {
  const void* data[3] = {NULL, NULL, NULL};
  size_t sizes[3] = {0, 0, 0};
  int64_t base, exponent;
  Power power = {1, ""};
  (void)user_data;
  for (uint64_t i = 0; i < 3; i++) {
    mproc_status_t status = mproc_starmap_argument(input, size, i, &data[i], &sizes[i]);
    if (status) return status;
  }
  if (sizes[0] != sizeof base || sizes[1] != sizeof exponent || sizes[2] >= sizeof power.name) return 2;
  memcpy(&base, data[0], sizeof base);
  memcpy(&exponent, data[1], sizeof exponent);
  memcpy(power.name, data[2], sizes[2]);
  if (exponent < 0) return 3;
  while (exponent-- > 0) power.power *= base;
  return mproc_call_reply(call, &power, sizeof power);
}

MPROC_MODULE_ENTRY mproc_status_t mproc_module_main(mproc_table_t* table) {
  mproc_status_t status = mproc_table_add(table, fn_partial, "partial", DoPartial, NULL);
  if (!status) status = mproc_table_add(table, fn_peek, "peek", DoPeek, NULL);
  if (!status) status = mproc_table_add(table, fn_unbound, "unbound", DoUnbound, NULL);
  if (!status) status = mproc_table_add(table, fn_scribble, "scribble", DoScribble, NULL);
  if (!status) status = mproc_table_add(table, fn_wait, "wait", DoWait, NULL);
  if (!status) status = mproc_table_add(table, fn_limit, "limit", DoLimit, NULL);
  if (!status) status = mproc_table_add(table, fn_raise_to, "power", DoPower, NULL);
  return status;
}
