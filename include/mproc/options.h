// SPDX-License-Identifier: MIT
// Options of a pool: an opaque object with defaults and one setter each, copied by mproc_pool_create.
#ifndef MPROC_OPTIONS_H
#define MPROC_OPTIONS_H

#include <mproc/log.h>
#include <mproc/start.h>
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

// Which tasks are timed from their submit to their begin; how long they run is always known.
enum {
  MPROC_TIMING_SAMPLED = 0,  // the first thousand and then one in sixteen, for the statistics: default
  MPROC_TIMING_ALL = 1,      // all, and each future tells its own times: costs some 100 ns a task
  MPROC_TIMING_OFF = 2       // none
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

// Sets how workers are started, MPROC_START_. Default: mproc_start_method_get at mproc_pool_create. With
// forkserver the module is loaded once, by a process that then forks every worker in a fraction of a
// millisecond. It must not make threads while it is loaded, else the start of the workers fails with
// UNSUPPORTED; so does mproc_pool_create without a module. Pools of one runtime with the same module, worker
// program and environment share that process, which lives until the runtime ends or, of more than eight, has
// been used least.
//
// With fork and threads workers run the functions of mproc_pool_options_set_table or of mproc_worker_main,
// with all that the host has in memory; or those of a module, which a fork loads after it was forked, and the
// host for its threads. Forks are children of the host: its own wait may see them, and they begin with what
// is in memory inside mproc_pool_create, or when one is replaced. mproc_pool_create is UNSUPPORTED if the
// host has threads beside the one that calls. Worker threads share all with the host, a crash, too; a task
// can only be asked to stop (mproc_call_cancelled): when its time is over, or its pool ends, it is let go,
// ends as it would have ended with its process, and its thread goes on until the function returns. Returns
// OK, INVALID_ARGUMENT. Since 0.1.
MPROC_API mproc_status_t mproc_pool_options_set_start_method(mproc_pool_options_t* options, int32_t method);

// Lets start method fork go ahead, if `on` is not 0, though the host has threads of its own: a fork has none
// of them, and what they held locked stays locked there, in libraries, too. What the functions call must not
// need it. Default 0. Returns OK. Since 0.1.
MPROC_API mproc_status_t mproc_pool_options_set_fork_with_threads(mproc_pool_options_t* options, int32_t on);

// Lets workers be mproc-worker with this module, a shared library that exports mproc_module_main. A path
// without a slash is looked for as the dynamic loader does. The host itself never loads it. Returns OK,
// INVALID_ARGUMENT. Since 0.1.
MPROC_API mproc_status_t mproc_pool_options_set_module(mproc_pool_options_t* options, const char* path);

// Lets workers be this program, run again: its main must begin with mproc_worker_main. Replaces a module.
// Returns OK. Since 0.1.
MPROC_API mproc_status_t mproc_pool_options_set_self(mproc_pool_options_t* options);

// Lets workers be any program, an interpreter say, with these arguments, argv[0] included, which is looked
// for in PATH if it has no slash. It must call mproc_worker_serve within the start limit. Until then its
// standard error is kept back: if the start fails, its last 4096 bytes are part of the error, and if not, it
// is passed on. The strings are copied. Replaces a module. Returns OK, INVALID_ARGUMENT, OUT_OF_MEMORY. Since
// 0.1.
MPROC_API mproc_status_t mproc_pool_options_set_command(mproc_pool_options_t* options,
                                                        const char* const* argv, size_t argc);

// Sets a variable of the workers' environment, which otherwise is the host's at their start; a null value
// takes it away. Copied; once for each variable. Returns OK, INVALID_ARGUMENT, OUT_OF_MEMORY. Since 0.1.
MPROC_API mproc_status_t mproc_pool_options_set_environment(mproc_pool_options_t* options, const char* name,
                                                            const char* value);

// Sets the working directory of the workers, which otherwise is the host's at their start. If it cannot be
// opened the start of a worker fails, and mproc_pool_create, with SYSTEM. Returns OK, INVALID_ARGUMENT,
// OUT_OF_MEMORY. Since 0.1.
MPROC_API mproc_status_t mproc_pool_options_set_directory(mproc_pool_options_t* options, const char* path);

// Gives the table that the workers must have, or, with start methods fork and threads, what they serve if
// there is no module; its ids are then checked at submit from the start, and its fingerprint against each
// worker. Copied. Without one the first worker's table becomes the pool's. Returns OK, OUT_OF_MEMORY. Since
// 0.1.
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

// Lets log records of workers (mproc_call_log) of `least_level` and more come to this callback, null for
// none, which runs where callbacks run: those of one worker in their order, and before their task is ready.
// With MPROC_CALLBACKS_DISPATCH they wait for the next dispatch when it is ready. Of more than 8 MiB that
// wait the rest is dropped, which a record of the library's tells. Not with MPROC_CALLBACKS_NEXT, where
// mproc_pool_create then fails. Returns OK. Since 0.1.
MPROC_API mproc_status_t mproc_pool_options_set_log_callback(mproc_pool_options_t* options,
                                                             mproc_log_cb callback, void* user_data,
                                                             int32_t least_level);

// Lets what workers print come to this callback, null for none, which runs where callbacks run: what goes to
// their standard output and error, and to those of processes that they start, from their set-up on. What a
// task has printed, as far as it has left the buffers of its language (those of C are flushed), comes before
// the task is ready; what a worker printed last, before the pool has joined. Of more than 8 MiB that wait the
// rest is dropped, which a piece of the library's tells. Not with MPROC_CALLBACKS_NEXT, nor with start method
// threads, where mproc_pool_create then fails. Returns OK. Since 0.1.
MPROC_API mproc_status_t mproc_pool_options_set_output_callback(mproc_pool_options_t* options,
                                                                mproc_output_cb callback, void* user_data);

// Sets which tasks are timed, MPROC_TIMING_. Returns OK, INVALID_ARGUMENT. Since 0.1.
MPROC_API mproc_status_t mproc_pool_options_set_timing(mproc_pool_options_t* options, int32_t timing);

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
