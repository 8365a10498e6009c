// SPDX-License-Identifier: MIT
// Futures: the one end of each task or map, to wait for, read, cancel and release.
#ifndef MPROC_FUTURE_H
#define MPROC_FUTURE_H

#include <mproc/status.h>

typedef struct mproc_future mproc_future_t;

// Called when a task or map has ended. The future is borrowed: retain it to keep it.
typedef void (*mproc_future_cb)(mproc_future_t* future, void* user_data);

// Called when the library needs the memory of a payload no more. It must not throw, nor end its thread.
typedef void (*mproc_release_cb)(void* owner);

// How a task ended. Exactly one of these, for ever.
enum {
  MPROC_OUTCOME_PENDING = 0,      // not yet
  MPROC_OUTCOME_VALUE = 1,        // with a value
  MPROC_OUTCOME_ERROR = 2,        // with an error of its own
  MPROC_OUTCOME_TIMED_OUT = 3,    // over its time limit
  MPROC_OUTCOME_CANCELLED = 4,    // cancelled
  MPROC_OUTCOME_WORKER_LOST = 5,  // its worker ended while it ran
  MPROC_OUTCOME_NOT_RUN = 6       // never begun
};

// Why, where the outcome leaves it open.
enum {
  MPROC_CAUSE_NONE = 0,
  MPROC_CAUSE_CALL = 1,        // cancelled by mproc_future_cancel
  MPROC_CAUSE_TERMINATE = 2,   // cancelled by mproc_pool_terminate
  MPROC_CAUSE_DESTROY = 3,     // cancelled by mproc_pool_destroy or mproc_runtime_finish
  MPROC_CAUSE_SIGNAL = 4,      // worker lost: ended by a signal
  MPROC_CAUSE_EXIT = 5,        // worker lost: it exited
  MPROC_CAUSE_PROTOCOL = 6,    // worker lost: killed because it wrote nonsense to its channel
  MPROC_CAUSE_LAUNCHER = 7,    // worker lost: together with the launcher, exit status unknown
  MPROC_CAUSE_BROKEN = 8,      // not run: the pool is broken
  MPROC_CAUSE_TIME_LIMIT = 9,  // timed out: the task ran longer than its limit
  MPROC_CAUSE_DEADLINE = 10    // timed out: task or map was not done at its deadline
};

// What mproc_future_info can tell, about ended tasks; 0 where it does not apply.
enum {
  MPROC_FUTURE_INFO_TASK_ID = 1,        // id of the task, unique in its pool (also before the end)
  MPROC_FUTURE_INFO_FUNCTION_ID = 2,    // function it calls, as it was given (also before the end)
  MPROC_FUTURE_INFO_WORKER_PID = 3,     // process that ran it
  MPROC_FUTURE_INFO_WORKER_NUMBER = 4,  // its worker number
  MPROC_FUTURE_INFO_SIGNAL = 5,         // worker lost: the signal
  MPROC_FUTURE_INFO_EXIT_CODE = 6,      // worker lost: the exit code, 255 if unknown
  MPROC_FUTURE_INFO_CAUSE = 7,          // MPROC_CAUSE_
  MPROC_FUTURE_INFO_ERROR_CODE = 8,     // error: the number that the function returned or failed with
  MPROC_FUTURE_INFO_FAILED_ITEM = 9,    // map: index of the item whose error is told, -1 if none
  MPROC_FUTURE_INFO_ELAPSED = 10,   // nanoseconds that it ran; of a retried task the last time; maps: see 13
  MPROC_FUTURE_INFO_ATTEMPTS = 11,  // times that it was begun; not of maps
  // With MPROC_TIMING_ALL only. A map has worker and elapsed time then, too: who ran the chunk that ended
  // last, unless an error is told, and from the first begin of a chunk to the last end.
  MPROC_FUTURE_INFO_SUBMITTED_AT = 12,  // nanoseconds of the monotonic clock
  MPROC_FUTURE_INFO_BEGUN_AT = 13       // the same; of a retried task the last time
};

// Waits until the future is ready, at most `limit`. With MPROC_CALLBACKS_THREAD a future with a callback, or
// with a release function for what the task was lent, is ready when these have returned (on their own thread:
// at its outcome); all others, and with MPROC_CALLBACKS_DISPATCH and MPROC_CALLBACKS_NEXT every one, at the
// outcome. Returns OK, TIMED_OUT, INTERRUPTED (a signal handler ran, or mproc_pool_wake was called: call
// again). Since 0.1.
MPROC_API mproc_status_t mproc_future_wait(mproc_future_t* future, int64_t limit);

// Waits until one of `count` futures is ready and writes its place to *index, the first if several are.
// Futures may be of different pools; null entries are skipped. Returns OK, TIMED_OUT, INTERRUPTED,
// INVALID_ARGUMENT (no future at all). Since 0.1.
MPROC_API mproc_status_t mproc_future_wait_any(mproc_future_t* const* futures, size_t count, int64_t limit,
                                               size_t* index);

// Waits until all of `count` futures are ready; null entries are skipped. Returns OK, TIMED_OUT,
// INTERRUPTED. Since 0.1.
MPROC_API mproc_status_t mproc_future_wait_all(mproc_future_t* const* futures, size_t count, int64_t limit);

// Returns OK if the future is ready, else NOT_READY. Does not wait. Since 0.1.
MPROC_API mproc_status_t mproc_future_ready(mproc_future_t* future);

// Writes 1 to *successful if the task ended with a value, else 0. Returns OK, NOT_READY. Since 0.1.
MPROC_API mproc_status_t mproc_future_successful(mproc_future_t* future, int32_t* successful);

// Writes the outcome, MPROC_OUTCOME_, to *outcome. Returns OK. Since 0.1.
MPROC_API mproc_status_t mproc_future_outcome(mproc_future_t* future, int32_t* outcome);

// Writes where the value of the task is, and its size; it lives as long as the future. A value that lies in
// a block (mproc_call_reply_block) may be overwritten by the next task that has the block. Does not wait.
// Returns OK, NOT_READY, or how the task ended: TASK (its own error), TASK_TIMED_OUT, CANCELLED,
// WORKER_LOST, NOT_RUN. Of a map use mproc_future_item (INVALID_ARGUMENT here). Since 0.1.
MPROC_API mproc_status_t mproc_future_result(mproc_future_t* future, const void** data, size_t* size);

// Copies the value of the task to the caller's buffer and writes its size to *size (may be null). Returns
// as mproc_future_result, and BUFFER_TOO_SMALL (*size tells what is needed; nothing is lost). Since 0.1.
MPROC_API mproc_status_t mproc_future_copy_result(mproc_future_t* future, void* buffer, size_t capacity,
                                                  size_t* size);

// Writes the number of items of a map, 1 for a task, to *count. Returns OK. Since 0.1.
MPROC_API mproc_status_t mproc_future_item_count(mproc_future_t* future, size_t* count);

// Writes where the value of item `index` of a map is, and its size; it lives as long as the future. Returns
// OK, NOT_READY, INVALID_ARGUMENT (index; an array map), TASK (this item failed), or how the item's chunk
// ended: CANCELLED, WORKER_LOST, NOT_RUN (also: not run because an earlier item of its chunk failed).
// Since 0.1.
MPROC_API mproc_status_t mproc_future_item(mproc_future_t* future, size_t index, const void** data,
                                           size_t* size);

// Writes the message of the error of item `index` of a map to *text: zero-ended, living as long as the
// future. For an item whose chunk was lost it tells what happened to the chunk. Returns OK, NOT_READY,
// NO_ERROR (the item has a value), INVALID_ARGUMENT (index; an array map). Since 0.1.
MPROC_API mproc_status_t mproc_future_item_error_message(mproc_future_t* future, size_t index,
                                                         const char** text);

// Returns the status that tells how the task ended: OK for a value, else TASK, TASK_TIMED_OUT, CANCELLED,
// WORKER_LOST, NOT_RUN, or NOT_READY. Since 0.1.
MPROC_API mproc_status_t mproc_future_error(mproc_future_t* future);

// Writes the message, type or trace of the error that ended the task (for a map: the error that came first)
// to *text: zero-ended, "" if there is none, living as long as the future. For a lost worker the message
// tells pid, worker number, signal or exit code, task and function, and the trace is the native stack of
// the fault where one was taken, and the last tasks and log records of that worker. Returns OK, NOT_READY,
// NO_ERROR. Since 0.1.
MPROC_API mproc_status_t mproc_future_error_message(mproc_future_t* future, const char** text);
// The type that the function gave, "" if none. As mproc_future_error_message. Since 0.1.
MPROC_API mproc_status_t mproc_future_error_type(mproc_future_t* future, const char** text);
// The trace. As mproc_future_error_message. Since 0.1.
MPROC_API mproc_status_t mproc_future_error_trace(mproc_future_t* future, const char** text);

// Writes one number about the task, MPROC_FUTURE_INFO_, to *value. Returns OK, INVALID_ARGUMENT. Since 0.1.
MPROC_API mproc_status_t mproc_future_info(mproc_future_t* future, int32_t which, int64_t* value);

// Writes how far a task or map is to *done and *total: of a map the items that have ended, whatever their
// end, and those that running chunks have done, of all its items, never less than before; of a task what it
// told by mproc_call_progress, 0 of 1 before that and 1 of 1 when it has ended. Returns OK, INVALID_ARGUMENT.
// Since 0.1.
MPROC_API mproc_status_t mproc_future_progress(mproc_future_t* future, uint64_t* done, uint64_t* total);

// Cancels a task that no worker has begun; of a map, every chunk that none has begun. Returns OK (cancelled;
// a map that has begun chunks ends when these end), ALREADY_STARTED (runs or has ended). Since 0.1.
MPROC_API mproc_status_t mproc_future_cancel(mproc_future_t* future);

// Cancels a task wherever it is: one that no worker has begun ends at once; one that runs is told to stop
// (mproc_call_cancelled) and, if it has not returned after `grace` nanoseconds (0 or less: at once), its
// worker is killed, which harms no other task. It ends as CANCELLED, whatever it answers after this call. Of
// a map, every chunk that has not ended. Does not wait for the end. Returns OK (cancelled, or about to end),
// ALREADY_STARTED (it has ended). Since 0.1.
MPROC_API mproc_status_t mproc_future_cancel_running(mproc_future_t* future, int64_t grace);

// Counts one more owner, who must release it. Returns OK. Since 0.1.
MPROC_API mproc_status_t mproc_future_retain(mproc_future_t* future);

// Gives up one ownership; the last one frees result and error. The task itself goes on. Null is fine.
// Returns OK, STALE_HANDLE. Since 0.1.
MPROC_API mproc_status_t mproc_future_release(mproc_future_t* future);

#endif
