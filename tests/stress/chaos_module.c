// SPDX-License-Identifier: MIT
// The module of the chaos: its functions and nothing else.
#include "chaos_tasks.h"

MPROC_MODULE_ENTRY mproc_status_t mproc_module_main(mproc_table_t* table) { return ChaosTable(table); }
