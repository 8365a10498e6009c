// SPDX-License-Identifier: MIT
// Start methods: how workers are started, by number and by name, and which one pools use that name none.
#ifndef MPROC_START_H
#define MPROC_START_H

#include <mproc/status.h>

// How workers are started.
enum {
  MPROC_START_NONE = -1,  // none is set, or: this is no worker
  MPROC_START_SPAWN = 0,  // a fresh process each, by the launcher: default
  MPROC_START_FORKSERVER =
      1,                   // forked by a process that has loaded the module once: pools with a module only
  MPROC_START_FORK = 2,    // copies of the host, forked by it
  MPROC_START_THREADS = 3  // no processes at all: threads of the host
};

// Sets the start method of all pools of this process whose options name none, for good: a second call is
// INVALID_ARGUMENT unless `force` is not 0. MPROC_START_NONE, with force only, goes back to the beginning,
// where it is spawn. Children do not inherit it, but for forks. Returns OK, INVALID_ARGUMENT. Any thread.
// Since 0.1.
MPROC_API mproc_status_t mproc_start_method_set(int32_t method, int32_t force);

// Writes what pools use whose options name no start method to *method. Returns OK, INVALID_ARGUMENT. Any
// thread. Since 0.1.
MPROC_API mproc_status_t mproc_start_method_get(int32_t* method);

// Writes the start method in place `index` of the list of all to *method; in place 0 is what
// mproc_start_method_get tells. Returns OK, END (there are no more), INVALID_ARGUMENT. Any thread. Since 0.1.
MPROC_API mproc_status_t mproc_start_method_list(size_t index, int32_t* method);

// Returns the name of a start method: "spawn", "forkserver", "fork" or "threads"; null for a number that is
// none. Static text. Any thread. Since 0.1.
MPROC_API const char* mproc_start_method_name(int32_t method);

// Writes the number of the start method of this name to *method. Returns OK, INVALID_ARGUMENT. Any thread.
// Since 0.1.
MPROC_API mproc_status_t mproc_start_method_find(const char* name, int32_t* method);

#endif
