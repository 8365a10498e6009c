// SPDX-License-Identifier: MIT
// How a task or map is run: time limits, deadline, retries, callbacks. An opaque object with defaults and one
// setter each, copied by the submitting call; any number of submits may use it. A map's tasks are its chunks.
#ifndef MPROC_TASK_OPTIONS_H
#define MPROC_TASK_OPTIONS_H

#include <mproc/future.h>

typedef struct mproc_task_options mproc_task_options_t;

// Called when a task or map has gone on: `done` of `total`, as mproc_future_progress tells. The future is
// borrowed.
typedef void (*mproc_progress_cb)(mproc_future_t* future, uint64_t done, uint64_t total, void* user_data);

// Called when a task, or the first chunk of a map, has begun, in the worker of this process id and number.
// The future is borrowed.
typedef void (*mproc_started_cb)(mproc_future_t* future, int32_t worker_pid, uint32_t worker_number,
                                 void* user_data);

// After which ends a task is run again; to be added up.
enum {
  MPROC_RETRY_ON_LOST = 1,    // its worker ended while it ran
  MPROC_RETRY_ON_ERROR = 2,   // it ended with an error of its own
  MPROC_RETRY_ON_TIMEOUT = 4  // it was over its time limit and killed
};

// Makes options with every default in *options; the caller owns them. Returns OK, INVALID_ARGUMENT,
// OUT_OF_MEMORY. Since 0.1.
MPROC_API mproc_status_t mproc_task_options_create(mproc_task_options_t** options);

// Frees options; null is fine. Returns OK, STALE_HANDLE. Since 0.1.
MPROC_API mproc_status_t mproc_task_options_destroy(mproc_task_options_t* options);

// Bounds the time of each task, counted from its real start in the worker. When it is over, the task is told
// (mproc_call_cancelled, mproc_call_time_left); if it has not returned after the grace time, its worker is
// killed and it ends as TIMED_OUT. What it answers before that counts. MPROC_FOREVER: no limit, the default.
// Returns OK, INVALID_ARGUMENT (less than 1). Since 0.1.
MPROC_API mproc_status_t mproc_task_options_set_time_limit(mproc_task_options_t* options, int64_t limit);

// Bounds the time from the submit to the end of the task or of the whole map. When it is over, what has not
// begun ends as TIMED_OUT at once; what runs is told, and killed after the grace time. MPROC_FOREVER: none,
// the default. Returns OK, INVALID_ARGUMENT (less than 1). Since 0.1.
MPROC_API mproc_status_t mproc_task_options_set_deadline(mproc_task_options_t* options, int64_t limit);

// Sets how long a task that was told to stop may go on. Default 100 ms; 0 or less kills at once. Returns OK.
// Since 0.1.
MPROC_API mproc_status_t mproc_task_options_set_grace(mproc_task_options_t* options, int64_t grace);

// Lets a task be run again up to `times` times (0 to 255) after ends in `on` (MPROC_RETRY_ON_ added up), each
// time after a pause: `back_off` nanoseconds before the first, doubled for each that follows, an hour at
// most. So its function must bear to be run more than once. A task that no worker has begun is given to
// another one in any case. Default 0. Returns OK, INVALID_ARGUMENT. Since 0.1.
MPROC_API mproc_status_t mproc_task_options_set_retry(mproc_task_options_t* options, int32_t times,
                                                      int32_t on, int64_t back_off);

// Sets the priority of a task or map: those of a higher one begin before those of a lower one that wait, also
// before maps that have begun; of the same one in the order of their submits. A task with a priority other
// than 0, the default, is given to a worker only when that has nothing else to do: so it waits for none that
// has not begun, and many short ones take longer. Returns OK. Since 0.1.
MPROC_API mproc_status_t mproc_task_options_set_priority(mproc_task_options_t* options, int32_t priority);

// Sets the callbacks, each of which may be null, as in mproc_pool_submit_callback. Returns OK. Since 0.1.
MPROC_API mproc_status_t mproc_task_options_set_callbacks(mproc_task_options_t* options,
                                                          mproc_future_cb callback,
                                                          mproc_future_cb error_callback, void* user_data);

// Sets a callback for progress, null for none, which runs where callbacks run: when something is new, at most
// ten times a second, and once more when the task or map has ended, before the callback of the end. A pool
// with MPROC_CALLBACKS_NEXT refuses it when the task is submitted. Returns OK. Since 0.1.
MPROC_API mproc_status_t mproc_task_options_set_progress_callback(mproc_task_options_t* options,
                                                                  mproc_progress_cb callback,
                                                                  void* user_data);

// Sets a callback for the begin, null for none, which runs where callbacks run: soon after the task has
// begun, and before the callback of the end; once, if a worker has begun it at all, whatever came of it. One
// that is run again is told of with its first attempt, a map with its first chunk. Each such task makes its
// worker ring the host. A pool with MPROC_CALLBACKS_NEXT refuses it when the task is submitted. Returns OK.
// Since 0.1.
MPROC_API mproc_status_t mproc_task_options_set_started_callback(mproc_task_options_t* options,
                                                                 mproc_started_cb callback, void* user_data);

// Sets how long a submit may wait for room in the queue. Default MPROC_FOREVER. Returns OK. Since 0.1.
MPROC_API mproc_status_t mproc_task_options_set_room_limit(mproc_task_options_t* options, int64_t limit);

#endif
