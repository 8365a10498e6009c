// SPDX-License-Identifier: MIT
// Options of a pool: an opaque object with defaults and one setter each, copied by mproc_pool_create.
#ifndef MPROC_OPTIONS_H
#define MPROC_OPTIONS_H

#include <mproc/table.h>

typedef struct mproc_pool_options mproc_pool_options_t;

// How a thread that waits, and a worker that runs dry, look for news before they sleep.
enum {
  MPROC_POLLING_ADAPTIVE = 0,  // short and only while it pays: default
  MPROC_POLLING_OFF = 1,       // sleep at once
  MPROC_POLLING_SPIN = 2       // up to a millisecond: lowest latency, costs the CPU
};

// Where callbacks run.
enum {
  MPROC_CALLBACKS_THREAD = 0,    // on one thread of the pool: default
  MPROC_CALLBACKS_DISPATCH = 1,  // inside mproc_pool_dispatch, on the thread that calls it
  MPROC_CALLBACKS_NEXT = 2       // there are none: mproc_pool_next hands out what has ended
};

// How workers are started.
enum {
  MPROC_START_SPAWN = 0  // a fresh process each, by the launcher: default
};

// Makes options with every default in *options; the caller owns them. Returns OK, OUT_OF_MEMORY. Since 0.1.
MPROC_API mproc_status_t mproc_pool_options_create(mproc_pool_options_t** options);

// Frees options; null is fine. Returns OK. Since 0.1.
MPROC_API mproc_status_t mproc_pool_options_destroy(mproc_pool_options_t* options);

// Sets the number of workers, 1 to 4096. Default: mproc_runtime_default_workers. Returns OK,
// INVALID_ARGUMENT. Since 0.1.
MPROC_API mproc_status_t mproc_pool_options_set_workers(mproc_pool_options_t* options, int32_t workers);

// Sets the name of the pool, 1 to 63 bytes; shown in worker names and messages. Default "Pool". Returns OK,
// INVALID_ARGUMENT. Since 0.1.
MPROC_API mproc_status_t mproc_pool_options_set_name(mproc_pool_options_t* options, const char* name);

// Sets how workers are started, MPROC_START_. Returns OK, INVALID_ARGUMENT, UNSUPPORTED. Since 0.1.
MPROC_API mproc_status_t mproc_pool_options_set_start_method(mproc_pool_options_t* options, int32_t method);

// Lets workers be mproc-worker with this module, a shared library that exports mproc_module_main. A path
// without a slash is looked for as the dynamic loader does. The host itself never loads it. Returns OK,
// INVALID_ARGUMENT. Since 0.1.
MPROC_API mproc_status_t mproc_pool_options_set_module(mproc_pool_options_t* options, const char* path);

// Lets workers be this program, run again: its main must begin with mproc_worker_main. Replaces a module.
// Returns OK. Since 0.1.
MPROC_API mproc_status_t mproc_pool_options_set_self(mproc_pool_options_t* options);

// Gives the table that the workers must have; its ids are then checked at submit from the start, and its
// fingerprint against each worker. Copied. Without one the first worker's table becomes the pool's.
// Returns OK, OUT_OF_MEMORY. Since 0.1.
MPROC_API mproc_status_t mproc_pool_options_set_table(mproc_pool_options_t* options, mproc_table_t* table);

// Lets every worker run function `id` with these bytes (copied) before its first task. If it fails, the
// start of that worker has failed. Returns OK, INVALID_ARGUMENT, OUT_OF_MEMORY. Since 0.1.
MPROC_API mproc_status_t mproc_pool_options_set_initializer(mproc_pool_options_t* options, uint32_t id,
                                                            const void* data, size_t size);

// Bounds the tasks that are submitted and not yet given to a worker, by number and by bytes of payload; 0
// means no bound, the default. One task always fits. Returns OK. Since 0.1.
MPROC_API mproc_status_t mproc_pool_options_set_queue_limits(mproc_pool_options_t* options, uint64_t tasks,
                                                             uint64_t bytes);

// Sets how to look for news before sleeping, MPROC_POLLING_. Returns OK, INVALID_ARGUMENT. Since 0.1.
MPROC_API mproc_status_t mproc_pool_options_set_polling(mproc_pool_options_t* options, int32_t polling);

// Sets where callbacks run, MPROC_CALLBACKS_. Returns OK, INVALID_ARGUMENT. Since 0.1.
MPROC_API mproc_status_t mproc_pool_options_set_callbacks(mproc_pool_options_t* options, int32_t mode);

// Sets how long terminate lets a busy worker live after SIGTERM before SIGKILL. Default 100 ms; 0 or less
// kills at once. Returns OK. Since 0.1.
MPROC_API mproc_status_t mproc_pool_options_set_terminate_grace(mproc_pool_options_t* options, int64_t grace);

// Sets how long a new worker may take to report itself before its start counts as failed. Default 10 s.
// Returns OK, INVALID_ARGUMENT (less than 1 ms). Since 0.1.
MPROC_API mproc_status_t mproc_pool_options_set_start_limit(mproc_pool_options_t* options, int64_t limit);

// Sets the path of mproc-worker, instead of looking in $MPROC_WORKER, beside the library, in
// ../libexec/mproc and in the installed place. Returns OK, INVALID_ARGUMENT. Since 0.1.
MPROC_API mproc_status_t mproc_pool_options_set_worker_program(mproc_pool_options_t* options,
                                                               const char* path);

#endif
