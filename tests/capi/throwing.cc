// SPDX-License-Identifier: MIT
// A module in C++, with its own run-time library, whose functions throw.
#include <mproc/table.h>

#include <stdexcept>
#include <string>

static int32_t Throw(mproc_call_t*, const void* input, size_t size, void*) {
  throw std::runtime_error(std::string(static_cast<const char*>(input), size));
}
static int32_t ThrowNumber(mproc_call_t*, const void*, size_t, void*) { throw 42; }

MPROC_MODULE_ENTRY mproc_status_t mproc_module_main(mproc_table_t* table) {
  mproc_status_t status = mproc_table_add(table, 1, "throw", Throw, nullptr);
  return status == MPROC_OK ? mproc_table_add(table, 2, "throw number", ThrowNumber, nullptr) : status;
}
