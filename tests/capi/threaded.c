// SPDX-License-Identifier: MIT
// A module that makes a thread while it is loaded.
#include <mproc/table.h>
#include <pthread.h>
#include <unistd.h>

static void* Stay(void* unused) {
  for (;;) pause();
  return unused;
}

__attribute__((constructor)) static void OnLoad(void) {
  pthread_t thread;
  pthread_create(&thread, NULL, Stay, NULL);
}

MPROC_MODULE_ENTRY mproc_status_t mproc_module_main(mproc_table_t* table) {
  (void)table;
  return MPROC_OK;
}
