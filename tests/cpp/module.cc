// SPDX-License-Identifier: MIT
// The same functions as a module, for workers that are mproc-worker.
#include "work.hh"

MPROC_MODULE_ENTRY mproc_status_t mproc_module_main(mproc_table_t* table) {
  return work::Functions::add_to(table);
}
