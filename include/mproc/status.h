// SPDX-License-Identifier: MIT
// Status numbers, their names and texts, the version, and the time limits.
#ifndef MPROC_STATUS_H
#define MPROC_STATUS_H

#include <mproc/export.h>

// Every status: X(name, number, text). 0 is success, every error is negative, numbers never change.
#define MPROC_STATUS_MAP(X)                                                                     \
  X(OK, 0, "success")                                                                           \
  X(ERROR_INVALID_ARGUMENT, -1, "an argument is null, out of range or contradicts another")     \
  X(ERROR_INVALID_HANDLE, -2, "this is not a handle of this kind")                              \
  X(ERROR_STALE_HANDLE, -3, "the object behind this handle was destroyed or released before")   \
  X(ERROR_FORKED, -4, "the handle belongs to the parent of this forked process")                \
  X(ERROR_OUT_OF_MEMORY, -5, "not enough memory")                                               \
  X(ERROR_DESCRIPTOR_LIMIT, -6, "the limit of open descriptors is reached")                     \
  X(ERROR_SYSTEM, -7, "the system refused a call")                                              \
  X(ERROR_UNSUPPORTED, -8, "this system or build does not offer it")                            \
  X(ERROR_TIMED_OUT, -9, "the time limit of the call passed")                                   \
  X(ERROR_INTERRUPTED, -10, "a signal or a wake-up ended the wait")                             \
  X(ERROR_NOT_READY, -11, "the result is not there yet")                                        \
  X(ERROR_QUEUE_FULL, -12, "the queue is full")                                                 \
  X(ERROR_NOT_RUNNING, -13, "the pool takes no more tasks: it was closed or terminated")        \
  X(ERROR_STILL_RUNNING, -14, "the pool must be closed or terminated first")                    \
  X(ERROR_BROKEN, -15, "the pool cannot start workers")                                         \
  X(ERROR_UNKNOWN_FUNCTION, -16, "the function table has no function of this id")               \
  X(ERROR_DUPLICATE, -17, "the function table has this id or name already")                     \
  X(ERROR_TABLE_MISMATCH, -18, "the worker's function table is not the host's")                 \
  X(ERROR_TOO_LARGE, -19, "the size exceeds what can be carried")                               \
  X(ERROR_BUFFER_TOO_SMALL, -20, "the buffer is too small; nothing was lost")                   \
  X(ERROR_NOT_SERVED, -21, "a worker run of this program did not call mproc_worker_main first") \
  X(ERROR_WOULD_BLOCK_ITSELF, -22, "the call would wait for the thread that makes it")          \
  X(ERROR_NO_WORKER_PROGRAM, -23, "the program mproc-worker was not found")                     \
  X(ERROR_BAD_MODULE, -24, "the module cannot be loaded or has no entry point")                 \
  X(ERROR_ALREADY_STARTED, -25, "the task runs or has ended already")                           \
  X(ERROR_NO_ERROR, -26, "the task has not failed")                                             \
  X(ERROR_NO_VALUE, -27, "the task did not end with a value")                                   \
  X(ERROR_TASK, -28, "the task's function reported an error")                                   \
  X(ERROR_TASK_TIMED_OUT, -29, "the task exceeded its time limit")                              \
  X(ERROR_CANCELLED, -30, "the task was cancelled")                                             \
  X(ERROR_WORKER_LOST, -31, "the worker that ran the task ended")                               \
  X(ERROR_NOT_RUN, -32, "the task was never started")                                           \
  X(ERROR_PROTOCOL, -33, "the worker broke the protocol of its channel")                        \
  X(ERROR_INTERNAL, -34, "a defect of the library")                                             \
  X(ERROR_BAD_VALUE, -35, "the bytes are not an encoded value")                                 \
  X(ERROR_TOO_DEEP, -36, "more than 100 lists and maps inside one another")                     \
  X(ERROR_WRONG_KIND, -37, "this part of the value is of another kind")                         \
  X(ERROR_BUSY, -38, "another task or call has it")                                             \
  X(ERROR_END, -39, "there are no more items")                                                  \
  X(ERROR_ITERABLE, -40, "the iterable failed")                                                 \
  X(ERROR_RELEASED_TOO_OFTEN, -41, "nobody has it, or there is no room for more")               \
  X(ERROR_NOT_HOLDER, -42, "another thread has the lock, or nobody")                            \
  X(ERROR_OWNER_DIED, -43, "the lock is yours, but its last holder died with it")               \
  X(ERROR_BARRIER_BROKEN, -44, "the barrier is broken")                                         \
  X(ERROR_NOT_STARTED, -45, "the process was not started")                                      \
  X(ERROR_STILL_ALIVE, -46, "the process has not ended")                                        \
  X(ERROR_QUEUE_EMPTY, -47, "the queue is empty")                                               \
  X(ERROR_CLOSED, -48, "it was closed here")                                                    \
  X(ERROR_END_OF_FILE, -49, "the other side has closed the connection")                         \
  X(ERROR_BROKEN_PIPE, -50, "nobody reads at the other end")                                    \
  X(ERROR_BAD_LENGTH, -51, "the length of a message is not allowed")                            \
  X(ERROR_AUTHENTICATION, -52, "the other side did not prove that it knows the key")            \
  X(ERROR_EXISTS, -53, "the name or the address is taken")                                      \
  X(ERROR_NOT_FOUND, -54, "there is nothing of this name or address")

enum {
#define MPROC_STATUS_ENUM(name, number, text) MPROC_##name = number,
  MPROC_STATUS_MAP(MPROC_STATUS_ENUM)
#undef MPROC_STATUS_ENUM
};

// A status: MPROC_OK or one of the negative MPROC_ERROR_ numbers above, never positive.
typedef int32_t mproc_status_t;

// Time limits are nanoseconds from the call. MPROC_FOREVER waits without limit; 0 and every negative
// number do not wait at all.
#define MPROC_FOREVER INT64_MAX
#define MPROC_MILLISECOND INT64_C(1000000)
#define MPROC_SECOND INT64_C(1000000000)

// Returns the name of a status, as "MPROC_ERROR_TIMED_OUT"; "unknown" for a number that is none. Static
// text. Any thread. Since 0.1.
MPROC_API const char* mproc_status_name(mproc_status_t status);

// Returns one sentence about a status. Static text. Any thread. Since 0.1.
MPROC_API const char* mproc_status_text(mproc_status_t status);

// Returns what the last failed call of this thread had to say: cause and remedy; "" if none failed. The
// text is the library's and lives until this thread's next failing call. It is a convenience: what ended
// a task stands in its future, what broke a pool in the pool. Since 0.1.
MPROC_API const char* mproc_last_error_message(void);

// Returns the errno behind the last failed call of this thread, 0 if there was none. Since 0.1.
MPROC_API int32_t mproc_last_error_os_code(void);

// Returns the version of the library, as "0.1.0". Static text. Any thread. Since 0.1.
MPROC_API const char* mproc_version_string(void);

// Returns the version as a number: major * 1000000 + minor * 1000 + patch. Any thread. Since 0.1.
MPROC_API uint32_t mproc_version_number(void);

// Returns MPROC_FOREVER, for languages that see no macros. Any thread. Since 0.1.
MPROC_API int64_t mproc_forever(void);

#endif
