// SPDX-License-Identifier: MIT
// The functions that the examples beside this file call. A module needs the headers only, no library:
//   cc -shared -fPIC -o module.so module.c
#include <mproc/call.h>
#include <stdlib.h>
#include <string.h>

static int32_t Square(mproc_call_t* call, const void* input, size_t size, void* user_data) {
  (void)user_data;
  int64_t number;
  if (size != sizeof number) return mproc_call_fail(call, 1, "BadInput", "square takes an int64", NULL);
  memcpy(&number, input, sizeof number);
  number *= number;
  return mproc_call_reply(call, &number, sizeof number);
}

static int32_t Crash(mproc_call_t* call, const void* input, size_t size, void* user_data) {
  (void)call, (void)input, (void)size, (void)user_data;
  abort();
}

MPROC_MODULE_ENTRY mproc_status_t mproc_module_main(mproc_table_t* table) {
  mproc_status_t status = mproc_table_add(table, 1, "square", Square, NULL);
  return status == MPROC_OK ? mproc_table_add(table, 2, "crash", Crash, NULL) : status;
}
