// SPDX-License-Identifier: MIT
// What the functions of the test modules are written with.
#ifndef MPROC_TESTS_MODULE_H
#define MPROC_TESTS_MODULE_H

#include <mproc/mproc.h>
#include <string.h>

// Ends the function with the status of a call that fails.
#define TRY(call)                        \
  do {                                   \
    mproc_status_t tried = (call);       \
    if (tried != MPROC_OK) return tried; \
  } while (0)

static inline int64_t NumberIn(const void* input, size_t size) {
  int64_t number = 0;
  if (size == sizeof number) memcpy(&number, input, sizeof number);
  return number;
}

// Null: there is none.
static inline void* ObjectAt(mproc_call_t* call, size_t index) {
  void* object = NULL;
  return mproc_call_object(call, index, &object) == MPROC_OK ? object : NULL;
}

// The table of the module, from the list that it shares with its host: X(id, name, ...) is Do_name.
#define MODULE_OF(list)                                                       \
  MPROC_MODULE_ENTRY mproc_status_t mproc_module_main(mproc_table_t* table) { \
    list(MODULE_ADD) return MPROC_OK;                                         \
  }
#define MODULE_ADD(id, name, about) TRY(mproc_table_add(table, id, #name, Do_##name, NULL));

#endif
