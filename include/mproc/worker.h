// SPDX-License-Identifier: MIT
// The start-up call of programs whose workers are the program itself.
#ifndef MPROC_WORKER_H
#define MPROC_WORKER_H

#include <mproc/table.h>

// Serves tasks if this process was started as a worker of a pool of way "self", and then ends the process
// with exit code 0, never returning. In any other process it keeps a copy of the table as the one that
// pools of way "self" expect, and returns OK. Call it once, at the top of main, before threads are made and
// before anything is printed; without it a worker run of the program gets NOT_SERVED when it makes a pool,
// and so does the pool that wanted the worker. Returns OK, INVALID_ARGUMENT, INVALID_HANDLE, STALE_HANDLE,
// OUT_OF_MEMORY. Main thread. Since 0.1.
MPROC_API mproc_status_t mproc_worker_main(mproc_table_t* table);

// Returns 1 in a worker process, else 0. Any thread. Since 0.1.
MPROC_API int32_t mproc_worker_is_worker(void);

#endif
