// SPDX-License-Identifier: MIT
// A module that refuses to be used.
#include <mproc/table.h>

MPROC_MODULE_ENTRY mproc_status_t mproc_module_main(mproc_table_t* table) {
  (void)table;
  return MPROC_ERROR_UNSUPPORTED;
}
