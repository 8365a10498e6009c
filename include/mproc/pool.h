// SPDX-License-Identifier: MIT
// Pools of worker processes: create, submit, close, terminate, join, destroy, look.
#ifndef MPROC_POOL_H
#define MPROC_POOL_H

#include <mproc/future.h>
#include <mproc/options.h>
#include <mproc/task_options.h>

typedef struct mproc_pool mproc_pool_t;

// What mproc_pool_statistic can tell. Counts since creation unless said.
enum {
  MPROC_POOL_STATISTIC_SUBMITTED = 1,     // tasks taken
  MPROC_POOL_STATISTIC_QUEUED = 2,        // now: tasks not yet begun by a worker
  MPROC_POOL_STATISTIC_QUEUED_BYTES = 3,  // now: payload bytes of tasks not yet given to a worker
  MPROC_POOL_STATISTIC_RUNNING = 4,       // now: tasks that a worker has begun
  MPROC_POOL_STATISTIC_VALUES = 5,        // tasks that ended with a value
  MPROC_POOL_STATISTIC_ERRORS = 6,        // tasks that ended with an error of their own
  MPROC_POOL_STATISTIC_CANCELLED = 7,     // tasks that ended cancelled
  MPROC_POOL_STATISTIC_LOST = 8,          // tasks that ended with their worker
  MPROC_POOL_STATISTIC_NOT_RUN = 9,       // tasks that a broken pool never ran
  MPROC_POOL_STATISTIC_WORKERS = 10,      // now: workers that are ready
  MPROC_POOL_STATISTIC_STARTS = 11,       // worker starts asked for
  MPROC_POOL_STATISTIC_DEATHS = 12,       // workers that ended unasked
  MPROC_POOL_STATISTIC_TAKEN_BACK = 13,   // queued tasks moved from one worker to another
  MPROC_POOL_STATISTIC_TIMED_OUT = 14,    // tasks that ended over their time limit or deadline
  MPROC_POOL_STATISTIC_RETRIED = 15,      // times that a task was to be run again
  MPROC_POOL_STATISTIC_RECYCLED = 16,     // workers that were over: by tasks, memory or age
  MPROC_POOL_STATISTIC_SIZE = 17,         // now: workers that the pool is to have at most
  MPROC_POOL_STATISTIC_LOG_RECORDS = 18,  // log records taken from workers
  MPROC_POOL_STATISTIC_LOG_DROPPED = 19,  // log records for which there was no room
  MPROC_POOL_STATISTIC_BYTES_IN = 20,     // bytes of payload of tasks that were answered
  MPROC_POOL_STATISTIC_BYTES_OUT = 21     // bytes of their answers
};

// What mproc_pool_worker_info can tell about a worker.
enum {
  MPROC_WORKER_INFO_PID = 1,         // process id, 0 before it is known
  MPROC_WORKER_INFO_NUMBER = 2,      // number of the worker, from 1, never given twice in a pool
  MPROC_WORKER_INFO_STATE = 3,       // MPROC_WORKER_STATE_
  MPROC_WORKER_INFO_TASKS_DONE = 4,  // tasks it has ended
  MPROC_WORKER_INFO_TASKS_HELD = 5,  // tasks given to it and not ended
  MPROC_WORKER_INFO_BUSY_TIME = 6,   // nanoseconds that it ran tasks, the one that runs now included
  MPROC_WORKER_INFO_READY_TIME = 7,  // nanoseconds since it was ready: BUSY_TIME of that is its utilisation
  MPROC_WORKER_INFO_START_TIME = 8,  // nanoseconds from when its start was asked for until then; before it: 0
  MPROC_WORKER_INFO_INITIALIZER_TIME = 9  // nanoseconds of these that its initializer took
};

// What mproc_pool_function_statistic can tell, of tasks that were answered; a map's tasks are its chunks.
// Times in nanoseconds, percentiles at most an eighth too large. Times to the begin are those of timed tasks.
enum {
  MPROC_FUNCTION_STATISTIC_RUNS = 1,       // tasks
  MPROC_FUNCTION_STATISTIC_RUN_TOTAL = 2,  // time that they ran, together
  MPROC_FUNCTION_STATISTIC_RUN_P50 = 3,    // time that half of them did not exceed
  MPROC_FUNCTION_STATISTIC_RUN_P90 = 4,
  MPROC_FUNCTION_STATISTIC_RUN_P99 = 5,
  MPROC_FUNCTION_STATISTIC_RUN_MAX = 6,
  MPROC_FUNCTION_STATISTIC_WAITS = 7,       // tasks that were timed (mproc_pool_options_set_timing)
  MPROC_FUNCTION_STATISTIC_WAIT_TOTAL = 8,  // time from their submit to their begin, together
  MPROC_FUNCTION_STATISTIC_WAIT_P50 = 9,
  MPROC_FUNCTION_STATISTIC_WAIT_P90 = 10,
  MPROC_FUNCTION_STATISTIC_WAIT_P99 = 11,
  MPROC_FUNCTION_STATISTIC_WAIT_MAX = 12
};

// What mproc_pool_slowest can tell about a task.
enum {
  MPROC_SLOWEST_ELAPSED = 1,   // nanoseconds that it ran
  MPROC_SLOWEST_TASK = 2,      // its id, that of the map if it is a chunk: what the future tells
  MPROC_SLOWEST_FUNCTION = 3,  // id in the table, of bound arguments that of the function behind them
  MPROC_SLOWEST_WORKER = 4,    // number of the worker that ran it
  MPROC_SLOWEST_ITEM = 5,   // index of its item in the map, of the first if it is a chunk; 0 in a plain task
  MPROC_SLOWEST_ITEMS = 6,  // items that it has: more than 1 in a chunk only
  MPROC_SLOWEST_SIZE = 7    // bytes of its payload; of a chunk those of its items
};

enum {
  MPROC_WORKER_STATE_NONE = 0,      // no process: waiting to be started
  MPROC_WORKER_STATE_STARTING = 1,  // asked for, has not reported itself
  MPROC_WORKER_STATE_IDLE = 2,      // ready, holds no task
  MPROC_WORKER_STATE_BUSY = 3,      // holds tasks
  MPROC_WORKER_STATE_STOPPED = 4,   // stopped by a signal (SIGSTOP)
  MPROC_WORKER_STATE_ENDING = 5     // told to end, or dead and not yet reported
};

// Makes a pool in *pool and starts its workers, not waiting for them: a start that fails shows in
// mproc_pool_wait_ready and, after five in a row, in every future. `options` are copied; null means every
// default, with workers that are this program itself. Returns OK, INVALID_ARGUMENT, NO_WORKER_PROGRAM,
// NOT_SERVED (in a worker run that did not call mproc_worker_main, or in any worker that is still being
// started: while its module is loaded or its initializer runs), OUT_OF_MEMORY, DESCRIPTOR_LIMIT, SYSTEM,
// UNSUPPORTED. Since 0.1.
MPROC_API mproc_status_t mproc_pool_create(mproc_pool_options_t* options, mproc_pool_t** pool);

// Changes the size of a pool that is in use, to 1 to 4096 workers; does not wait. More are started; those
// that are too many end the task that they run, and what they have not begun goes to others. Returns OK,
// INVALID_ARGUMENT, NOT_RUNNING, BROKEN. Since 0.1.
MPROC_API mproc_status_t mproc_pool_resize(mproc_pool_t* pool, int32_t workers);

// Gives the pool that all parts of this process share under a name, 1 to 63 bytes, in *pool: the one that an
// earlier call made if that still takes tasks, else a new one with these options and this name. Each handle
// is to be destroyed: the last one ends the pool, the others are only given up. Close and terminate are for
// all. Returns as mproc_pool_create. Since 0.1.
MPROC_API mproc_status_t mproc_pool_shared(const char* name, mproc_pool_options_t* options,
                                           mproc_pool_t** pool);

// Waits until every worker is ready. Returns OK, TIMED_OUT, INTERRUPTED, NOT_RUNNING, or, if a worker could
// not start, why: BROKEN, BAD_MODULE, TABLE_MISMATCH, NOT_SERVED and the like, with the message. Since 0.1.
MPROC_API mproc_status_t mproc_pool_wait_ready(mproc_pool_t* pool, int64_t limit);

// Submits a task: function `function_id` with these bytes (copied). If the queue is full, waits for room at
// most `limit`. The future in *future is the caller's, to be released. Returns OK, UNKNOWN_FUNCTION,
// QUEUE_FULL (limit 0 or less), TIMED_OUT, INTERRUPTED, NOT_RUNNING, BROKEN, TOO_LARGE, OUT_OF_MEMORY,
// INVALID_ARGUMENT (future is null; data is null, size is not 0). Since 0.1.
MPROC_API mproc_status_t mproc_pool_submit(mproc_pool_t* pool, uint32_t function_id, const void* data,
                                           size_t size, int64_t limit, mproc_future_t** future);

// The same with callbacks, each of which may be null. `callback` gets the future of a task that ended with
// a value, `error_callback` of one that ended otherwise; the future is borrowed for the call. `future` may
// be null if only the callbacks matter. Returns as mproc_pool_submit, and INVALID_ARGUMENT (a callback with
// MPROC_CALLBACKS_NEXT; data is null, size is not 0). Since 0.1.
MPROC_API mproc_status_t mproc_pool_submit_callback(mproc_pool_t* pool, uint32_t function_id,
                                                    const void* data, size_t size, int64_t limit,
                                                    mproc_future_cb callback, mproc_future_cb error_callback,
                                                    void* user_data, mproc_future_t** future);

// The same with bytes that are not copied but lent: they must stay as they are until `release` is called with
// `owner`, exactly once: inside this call if it fails, else when the task has ended, where the callbacks of
// the pool run and before them. With MPROC_CALLBACKS_NEXT it runs inside mproc_pool_next, before that returns
// the future. `release` may be null: then the end of the task says it. Returns as
// mproc_pool_submit_callback. Since 0.1.
MPROC_API mproc_status_t mproc_pool_submit_borrowed(mproc_pool_t* pool, uint32_t function_id,
                                                    const void* data, size_t size, mproc_release_cb release,
                                                    void* owner, int64_t limit, mproc_future_cb callback,
                                                    mproc_future_cb error_callback, void* user_data,
                                                    mproc_future_t** future);

// The same with options, which may be null: every default. `future` may be null if they have callbacks.
// Returns as mproc_pool_submit. Since 0.1.
MPROC_API mproc_status_t mproc_pool_submit_with(mproc_pool_t* pool, uint32_t function_id, const void* data,
                                                size_t size, mproc_task_options_t* options,
                                                mproc_future_t** future);

// Calls function `function_id` with these bytes (copied) once in every worker that is there or being started,
// in the latter before any other task. It does not count as a task of the worker, and runs even while all
// others are busy. The future in *future is the caller's: that of a map with one item for each worker, in the
// order of their numbers (mproc_future_item); where a worker ends before, its item tells WORKER_LOST. Workers
// that are on their way out are not asked, and mproc_pool_next does not tell of it. Returns OK,
// UNKNOWN_FUNCTION, NOT_RUNNING, BROKEN, TOO_LARGE, OUT_OF_MEMORY, INVALID_ARGUMENT (future is null; data is
// null, size is not 0). Since 0.1.
MPROC_API mproc_status_t mproc_pool_broadcast(mproc_pool_t* pool, uint32_t function_id, const void* data,
                                              size_t size, mproc_future_t** future);

// Submits a task and waits for its end, both within `limit`; the ended future in *future is the caller's.
// Returns as mproc_pool_submit, and OK when the task has ended, whatever its end. After TIMED_OUT and
// INTERRUPTED the task goes on and *future is null: use submit and wait to keep it. Not from a callback of
// the same pool (WOULD_BLOCK_ITSELF). Since 0.1.
MPROC_API mproc_status_t mproc_pool_apply(mproc_pool_t* pool, uint32_t function_id, const void* data,
                                          size_t size, int64_t limit, mproc_future_t** future);

// Runs the callbacks that wait, at most `max` of them (0: all that wait now), on this thread, and writes how
// many ran to *ran (may be null). Only with MPROC_CALLBACKS_DISPATCH. Returns OK, INVALID_ARGUMENT (other
// mode), WOULD_BLOCK_ITSELF (inside a callback, or while another thread dispatches), INTERNAL with the
// message of a C++ exception that left a callback: it has run then, and those after it wait for the next
// dispatch. Since 0.1.
MPROC_API mproc_status_t mproc_pool_dispatch(mproc_pool_t* pool, size_t max, size_t* ran);

// Hands out the next task or map that has ended, in the order of their ends, and waits for one at most
// `limit`. Only with MPROC_CALLBACKS_NEXT, where every submit and every _async map is handed out once; what a
// call waited for itself (apply, map) is not. *future is the caller's, also if the submitting call gave one;
// *user_data (may be null) is what that call was given. Any number of threads may ask. Returns OK; TIMED_OUT;
// INTERRUPTED; NOT_RUNNING if the pool was closed or terminated and nothing is left; INVALID_ARGUMENT (other
// mode). Since 0.1.
MPROC_API mproc_status_t mproc_pool_next(mproc_pool_t* pool, int64_t limit, mproc_future_t** future,
                                         void** user_data);

// Makes a descriptor for event loops, the end of a pipe: readable as long as something waits for dispatch or
// next. It is the caller's, to poll and to close; each call gives another one, non-blocking at first, and
// closing one or changing its flags does not matter to the others or to the pool. What can be read means
// nothing and may be read or not, but is taken from all of them: then call dispatch or next. At the end of
// the pool it reports a hang-up. Not with MPROC_CALLBACKS_THREAD. Returns OK, INVALID_ARGUMENT (other mode),
// DESCRIPTOR_LIMIT, SYSTEM. Since 0.1.
MPROC_API mproc_status_t mproc_pool_fd(mproc_pool_t* pool, int32_t* fd);

// Ends one wait on this pool, in any of its calls and those of its futures: it returns INTERRUPTED. If no
// thread waits, the next wait ends so. A wait for futures of several pools may take 0.1 s to notice. May be
// called from a signal handler, but not while the pool is being destroyed. Returns OK, INVALID_HANDLE,
// STALE_HANDLE. Since 0.1.
MPROC_API mproc_status_t mproc_pool_wake(mproc_pool_t* pool);

// Takes no more tasks; what was submitted still runs, then the workers end. Does not wait. Idempotent.
// Returns OK. Since 0.1.
MPROC_API mproc_status_t mproc_pool_close(mproc_pool_t* pool);

// Ends every task as cancelled, queued ones and running ones, and the workers with them: idle ones at once,
// busy ones by SIGTERM and, after the grace time, SIGKILL. Does not wait. Idempotent. Returns OK. Since 0.1.
MPROC_API mproc_status_t mproc_pool_terminate(mproc_pool_t* pool);

// Waits at most `limit` until a closed or terminated pool has ended: no task left, no worker left, and, with
// MPROC_CALLBACKS_THREAD, every callback returned. Returns OK, TIMED_OUT, INTERRUPTED, STILL_RUNNING
// (neither closed nor terminated), WOULD_BLOCK_ITSELF (from a callback of this pool). Since 0.1.
MPROC_API mproc_status_t mproc_pool_join(mproc_pool_t* pool, int64_t limit);

// Terminates the pool, waits until it has ended, and frees it, unless it is shared and has other handles;
// null is fine. The handle is stale at once; futures stay valid until released. From a callback of this pool
// the rest is done after the callback. With MPROC_CALLBACKS_DISPATCH callbacks that still wait are run here.
// Returns OK, STALE_HANDLE (destroyed before). Since 0.1.
MPROC_API mproc_status_t mproc_pool_destroy(mproc_pool_t* pool);

// Writes one number about the pool, MPROC_POOL_STATISTIC_, to *value. A task may be seen to have ended a
// moment before its bytes are counted and RUNNING is less. Returns OK, INVALID_ARGUMENT. Since 0.1.
MPROC_API mproc_status_t mproc_pool_statistic(mproc_pool_t* pool, int32_t which, uint64_t* value);

// Writes one number about the tasks of a function, MPROC_FUNCTION_STATISTIC_, to *value: 0 if none was
// answered, or if those of more than a thousand functions were before. Returns OK, INVALID_ARGUMENT. Since
// 0.1.
MPROC_API mproc_status_t mproc_pool_function_statistic(mproc_pool_t* pool, uint32_t function_id,
                                                       int32_t which, uint64_t* value);

// Writes one number, MPROC_SLOWEST_, about one of the ten tasks that ran longest to *value; index 0 is the
// slowest. Tasks that were answered or died with their worker count, of all functions; a map's tasks are its
// chunks. When ten are noted, another one counts if it is slower than one of them by an eighth. Tasks that
// end between two calls may move the others. Returns OK, END (there are not so many), INVALID_ARGUMENT. Since
// 0.1.
MPROC_API mproc_status_t mproc_pool_slowest(mproc_pool_t* pool, size_t index, int32_t which, int64_t* value);

// Copies the first bytes of the payload of such a task, 64 at most, to the caller's buffer, and writes their
// number to *size (may be null): of a chunk those of its first items, one after the other; of a block as the
// function left it. 0 if the payload was lost for want of memory. Returns OK, END, BUFFER_TOO_SMALL (*size
// tells), INVALID_ARGUMENT. Since 0.1.
MPROC_API mproc_status_t mproc_pool_slowest_argument(mproc_pool_t* pool, size_t index, void* buffer,
                                                     size_t capacity, size_t* size);

// Writes how many places for workers the pool has to *count: at first one for each, later more, some of them
// without a worker, for successors and for workers that end. It never shrinks. Returns OK. Since 0.1.
MPROC_API mproc_status_t mproc_pool_worker_count(mproc_pool_t* pool, int32_t* count);

// Writes one number about the worker in place `index` (from 0), MPROC_WORKER_INFO_, to *value. A task may be
// seen to have ended a moment before its worker's numbers tell. Returns OK, INVALID_ARGUMENT. Since 0.1.
MPROC_API mproc_status_t mproc_pool_worker_info(mproc_pool_t* pool, int32_t index, int32_t which,
                                                int64_t* value);

// Writes why the pool is broken to the caller's buffer, as a zero-ended text, and its length without the
// zero to *size (may be null). Returns OK, NO_ERROR (not broken), BUFFER_TOO_SMALL (*size tells). Since 0.1.
MPROC_API mproc_status_t mproc_pool_error_message(mproc_pool_t* pool, char* buffer, size_t capacity,
                                                  size_t* size);

// Writes what the pool and each of its workers do now to the caller's buffer, as text for people, zero-ended:
// its state, counts and waiting threads; of every worker the process with where it waits, the task it runs,
// since when, its item and progress, what it has not begun, and its last steps; and the slowest tasks. May be
// called at any time, as when all seems stuck: waits for nothing, but reads files of /proc. Writes its whole
// length, without the zero, to *size (may be null). Returns OK, BUFFER_TOO_SMALL (what fits was written).
// Since 0.1.
MPROC_API mproc_status_t mproc_pool_dump(mproc_pool_t* pool, char* buffer, size_t capacity, size_t* size);

// Looks up a function of the pool's table by name and writes its id to *id. Without a table of the host's
// this needs one worker to be ready. Returns OK, UNKNOWN_FUNCTION, NOT_READY, INVALID_ARGUMENT. Since 0.1.
MPROC_API mproc_status_t mproc_pool_find_function(mproc_pool_t* pool, const char* name, uint32_t* id);

#endif
