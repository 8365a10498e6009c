// SPDX-License-Identifier: MIT
// The module of the installation test: two functions, built with nothing but the installed headers.
#include <mproc/mproc.h>

static int32_t Add(mproc_call_t* call, const void* input, size_t size, void* user_data) {
  const unsigned char* bytes = input;
  uint64_t sum = 0;
  (void)user_data;
  for (size_t i = 0; i < size; i++) sum += bytes[i];
  mproc_call_reply(call, &sum, sizeof sum);
  return 0;
}

static int32_t Fail(mproc_call_t* call, const void* input, size_t size, void* user_data) {
  (void)input;
  (void)size;
  (void)user_data;
  return mproc_call_fail(call, 7, "Refusal", "as asked", NULL);
}

MPROC_MODULE_ENTRY mproc_status_t mproc_module_main(mproc_table_t* table) {
  mproc_status_t status = mproc_table_add(table, 1, "add", Add, NULL);
  return status == MPROC_OK ? mproc_table_add(table, 2, "fail", Fail, NULL) : status;
}
