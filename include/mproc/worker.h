// SPDX-License-Identifier: MIT
// What programs call to be workers: the host's own program, or the command of a pool.
#ifndef MPROC_WORKER_H
#define MPROC_WORKER_H

#include <mproc/call.h>
#include <mproc/start.h>

// Serves tasks if this process was started as a worker of a pool of way "self", and then ends the process
// with exit code 0, never returning. In any other process it returns OK. In both it keeps a copy of the table
// as the one that pools of way "self" expect; a worker's functions may use such pools, too. Call it once, at
// the top of main, before threads are made and before anything is printed; without it a worker run of the
// program gets NOT_SERVED when it makes a pool, and so does the pool that wanted the worker. Returns OK,
// INVALID_ARGUMENT, INVALID_HANDLE, STALE_HANDLE, OUT_OF_MEMORY. Main thread. Since 0.1.
MPROC_API mproc_status_t mproc_worker_main(mproc_table_t* table);

// Serves tasks with this table, in a program that a pool runs as its command, until the host orders the end
// or is gone; the program should end then. Functions are called on this thread. What was written to the
// standard error before appears there now. Returns OK; NOT_RUNNING if this process is no such worker or has
// served before; INVALID_ARGUMENT, INVALID_HANDLE, STALE_HANDLE; what kept it from serving, which the pool is
// told, too: BROKEN (the initializer failed), DESCRIPTOR_LIMIT, OUT_OF_MEMORY, PROTOCOL, SYSTEM,
// TABLE_MISMATCH, TOO_LARGE. Any thread, once. Since 0.1.
MPROC_API mproc_status_t mproc_worker_serve(mproc_table_t* table);

// The other form of serving, for languages that are not called back well: takes the next call of a function
// of this table (the functions may be null) and writes it to *call, its input to *input and *size, which stay
// valid until it is answered by mproc_worker_reply or mproc_worker_fail. Which function is meant, and more,
// the mproc_call_ functions tell. *call is null when the host has ordered the end or is gone: the program
// should end then. The first call begins to serve, as mproc_worker_serve does, with the table as it is then;
// an initializer comes as a call like others. Waits `limit` nanoseconds at most. Returns OK; TIMED_OUT; BUSY
// if the call taken before is not answered, or while another thread is in here; and what mproc_worker_serve
// returns. Any one thread at a time. Since 0.1.
MPROC_API mproc_status_t mproc_worker_next(mproc_table_t* table, int64_t limit, mproc_call_t** call,
                                           const void** input, size_t* size);

// Ends the call that was taken with a copy of `size` bytes as its value; the host sees it with the next
// mproc_worker_next. Returns OK; INVALID_ARGUMENT if this is not that call; what mproc_call_reply returns:
// the task has then failed with it. Same thread. Since 0.1.
MPROC_API mproc_status_t mproc_worker_reply(mproc_call_t* call, const void* data, size_t size);

// Ends the call that was taken with an error, told as in mproc_call_fail; 0 counts as -1. Returns OK,
// INVALID_ARGUMENT if this is not that call. Same thread. Since 0.1.
MPROC_API mproc_status_t mproc_worker_fail(mproc_call_t* call, int32_t code, const char* type,
                                           const char* message, const char* trace);

// Returns 1 in a worker process, else 0. Any thread. Since 0.1.
MPROC_API int32_t mproc_worker_is_worker(void);

// Returns by which method this worker was started, MPROC_START_: in a worker process on any thread, in a host
// on those that are its workers; else MPROC_START_NONE. Since 0.1.
MPROC_API int32_t mproc_worker_start_method(void);

#endif
