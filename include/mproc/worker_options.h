// SPDX-License-Identifier: MIT
// Options of a pool for the life of its workers: when one is replaced, and how many there are when little is
// to do. A worker that is over ends after the task that it runs; what it has not begun goes to others, and
// its successor is ready first where the end could be foreseen. No task is lost or run twice.
#ifndef MPROC_WORKER_OPTIONS_H
#define MPROC_WORKER_OPTIONS_H

#include <mproc/options.h>

// What mproc_pool_options_set_worker_limit can limit, for a worker's whole life.
enum {
  MPROC_LIMIT_MEMORY = 1,    // bytes of address space: what is mapped, resident or not
  MPROC_LIMIT_CPU_TIME = 2,  // nanoseconds, rounded up to seconds: SIGXCPU, and SIGKILL a second later
  MPROC_LIMIT_FILES = 3      // open descriptors
};

// How mproc_pool_options_set_worker_cpus deals them out.
enum {
  MPROC_CPUS_SHARED = 0,   // every worker may run on each of them
  MPROC_CPUS_ONE_EACH = 1  // every worker runs on one, that with the fewest others
};

// Replaces every worker after so many tasks, where a chunk of a map counts as one. Default: never. Returns
// OK, INVALID_ARGUMENT (less than 1). Since 0.1.
MPROC_API mproc_status_t mproc_pool_options_set_worker_tasks(mproc_pool_options_t* options, int64_t tasks);

// Replaces a worker that has more than so many bytes of memory of its own: resident, without what it shares
// with others as the pages of files and payloads. It looks after a task, every 5 ms at most; the pool looks
// now and then while one runs. Default: never. Returns OK, INVALID_ARGUMENT (less than 1). Since 0.1.
MPROC_API mproc_status_t mproc_pool_options_set_worker_memory(mproc_pool_options_t* options, int64_t bytes);

// Replaces a worker so many nanoseconds after it was ready. Default: never. Returns OK, INVALID_ARGUMENT
// (less than 1 ms). Since 0.1.
MPROC_API mproc_status_t mproc_pool_options_set_worker_age(mproc_pool_options_t* options, int64_t age);

// Ends a worker that has had no task for so many nanoseconds; others are started when tasks have to wait, up
// to the size of the pool. It begins with all of them. Default: never. Returns OK, INVALID_ARGUMENT (less
// than 1 ms). Since 0.1.
MPROC_API mproc_status_t mproc_pool_options_set_worker_idle(mproc_pool_options_t* options, int64_t idle);

// Sets how many workers stay, however idle they are; 0 to 4096. Default 1. Returns OK, INVALID_ARGUMENT.
// Since 0.1.
MPROC_API mproc_status_t mproc_pool_options_set_least_workers(mproc_pool_options_t* options, int32_t workers);

// Lets every worker that is told to finish run function `id` with these bytes (copied) after its last task:
// at the end of a closed pool, when it is over, idle or one too many; of a terminated pool where it is idle.
// Not when it is killed. For that it has the grace time of mproc_pool_options_set_terminate_grace, then it is
// killed. What the function gives, or how it fails, is told by
// mproc_pool_options_set_finalizer_callback. Returns OK, INVALID_ARGUMENT, OUT_OF_MEMORY. Since 0.1.
MPROC_API mproc_status_t mproc_pool_options_set_finalizer(mproc_pool_options_t* options, uint32_t id,
                                                          const void* data, size_t size);

// Called with what the finalizer of a worker gave: with MPROC_OUTCOME_VALUE its value, with
// MPROC_OUTCOME_ERROR the message of its error; `size` bytes and then a zero, borrowed for the call.
typedef void (*mproc_finalizer_cb)(uint32_t worker_number, int32_t outcome, const void* data, size_t size,
                                   void* user_data);

// Lets this callback, null for none, be called once for each worker whose finalizer has run to its end, when
// that worker has ended, where callbacks run: before mproc_pool_join returns or, with
// MPROC_CALLBACKS_DISPATCH, in the next dispatch. Of a worker that was killed before, or that exits in its
// finalizer, nothing is told. A value of more than 64 KiB becomes an error. Not with MPROC_CALLBACKS_NEXT,
// where mproc_pool_create then fails. Returns OK. Since 0.1.
MPROC_API mproc_status_t mproc_pool_options_set_finalizer_callback(mproc_pool_options_t* options,
                                                                   mproc_finalizer_cb callback,
                                                                   void* user_data);

// Sets a limit of every worker's process, MPROC_LIMIT_, before its module is loaded. Memory that the limit
// refuses is a null pointer or std::bad_alloc in the function; a worker that the limit ends is lost, and its
// task tells. A limit that the system does not allow breaks the pool with UNSUPPORTED. Default: those of the
// launcher. Returns OK, INVALID_ARGUMENT (less than 1). Since 0.1.
MPROC_API mproc_status_t mproc_pool_options_set_worker_limit(mproc_pool_options_t* options, int32_t which,
                                                             int64_t value);

// Sets the niceness of every worker, -20 to 19; less than the launcher's needs privileges, else the pool
// breaks with UNSUPPORTED. Returns OK, INVALID_ARGUMENT. Since 0.1.
MPROC_API mproc_status_t mproc_pool_options_set_worker_nice(mproc_pool_options_t* options, int32_t nice);

// Sets the CPUs (copied; 0 to 1023) that workers run on, and how, MPROC_CPUS_. Without any (count 0) those
// that this process may use. If the system knows none of them the pool breaks with UNSUPPORTED. Returns OK,
// INVALID_ARGUMENT, OUT_OF_MEMORY. Since 0.1.
MPROC_API mproc_status_t mproc_pool_options_set_worker_cpus(mproc_pool_options_t* options,
                                                            const int32_t* cpus, size_t count, int32_t mode);

// Breaks the pool when more than `deaths` workers have died within `span` nanoseconds; its error tells of the
// last. Workers that were told to end or killed for a time limit do not count. Default: dead workers are
// replaced without end. Returns OK, INVALID_ARGUMENT (deaths less than 0 or more than 65536, span less than
// 1 ms). Since 0.1.
MPROC_API mproc_status_t mproc_pool_options_set_restart_limit(mproc_pool_options_t* options, int32_t deaths,
                                                              int64_t span);

#endif
