// SPDX-License-Identifier: MIT
// A module that ends its process while it is loaded, or never returns: $MPROC_TEST_CRASH says how.
#include <mproc/table.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void Crash(const char* place) {
  const char* wanted = getenv("MPROC_TEST_CRASH");
  int* volatile nowhere = NULL;
  if (wanted && strcmp(wanted, place) == 0) *(volatile int*)nowhere = 1;
}

__attribute__((constructor)) static void OnLoad(void) {
  const char* wanted = getenv("MPROC_TEST_CRASH");
  if (wanted && strcmp(wanted, "exit") == 0) _exit(6);
  while (wanted && strcmp(wanted, "hang") == 0) pause();
  Crash("constructor");
}

MPROC_MODULE_ENTRY mproc_status_t mproc_module_main(mproc_table_t* table) {
  (void)table;
  Crash("entry");
  return MPROC_OK;
}
