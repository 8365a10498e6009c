// SPDX-License-Identifier: MIT
// What a function of a table may do while it runs: reply, fail, and ask about its task. In workers only. But
// for the last one, every function here takes the call that the running function was given, on the thread
// that runs it.
#ifndef MPROC_CALL_H
#define MPROC_CALL_H

#include <mproc/log.h>
#include <mproc/table.h>

// Sets the value of the task to a copy of `size` bytes; a later reply replaces an earlier one. `data` may
// be null if size is 0. Returns OK, INVALID_ARGUMENT, TOO_LARGE (in an array map: a size other than the
// output stride), OUT_OF_MEMORY, DESCRIPTOR_LIMIT, SYSTEM. Since 0.1.
MPROC_API mproc_status_t mproc_call_reply(mproc_call_t* call, const void* data, size_t size);

// Makes `size` bytes of the value in place and writes their address to *data: fill them before the function
// returns. Their contents are undefined until then; the memory is the library's. Returns as
// mproc_call_reply. Since 0.1.
MPROC_API mproc_status_t mproc_call_reply_alloc(mproc_call_t* call, size_t size, void** data);

// Writes where the block that is the payload of this task lies, and its whole size, to *data and *size: the
// function may write there. Returns OK; WRONG_KIND if the payload is no block; INVALID_ARGUMENT. Since 0.1.
MPROC_API mproc_status_t mproc_call_block(mproc_call_t* call, void** data, size_t* size);

// Sets the value of the task to `size` bytes at `offset` of that block, where they lie: nothing is copied.
// Returns OK; WRONG_KIND if the payload is no block; INVALID_ARGUMENT if the bytes are not all in it. Since
// 0.1.
MPROC_API mproc_status_t mproc_call_reply_block(mproc_call_t* call, size_t offset, size_t size);

// Writes where the bytes are that were bound to the function (bound.h) to *data and *size: for reading only,
// as long as the function runs; aligned to pages, but for a part of a block. *data is null if the function
// was called by its own id. Returns OK, INVALID_ARGUMENT. Since 0.1.
MPROC_API mproc_status_t mproc_call_bound(mproc_call_t* call, const void** data, size_t* size);

// Details the error that the function is about to return: a number of the function's own, and texts in
// UTF-8 (each may be null) for the type of the error, its message and a stack trace. All are copied; texts
// beyond 1 MiB are cut. If the function then returns 0, the task fails all the same. Returns `code`, or -1
// if code is 0, so that a function can end with `return mproc_call_fail(...)`. Since 0.1.
MPROC_API int32_t mproc_call_fail(mproc_call_t* call, int32_t code, const char* type, const char* message,
                                  const char* trace);

// Returns the id of the running task: unique in its pool, the same as the future's. Since 0.1.
MPROC_API uint64_t mproc_call_task_id(mproc_call_t* call);

// Returns the id of the running function in its table, also if it was called as a bound one. Since 0.1.
MPROC_API uint32_t mproc_call_function_id(mproc_call_t* call);

// Returns the number of this worker in its pool, counted from 1 and never given twice. Since 0.1.
MPROC_API uint32_t mproc_call_worker_number(mproc_call_t* call);

// Returns the name of this worker, as "SpawnPoolWorker-1"; lives as long as the worker. Since 0.1.
MPROC_API const char* mproc_call_worker_name(mproc_call_t* call);

// Keeps a pointer for all calls of this worker: what an initializer made, say, for the tasks and the
// finalizer. The library never follows it. Returns OK, INVALID_ARGUMENT. Since 0.1.
MPROC_API mproc_status_t mproc_call_set_worker_state(mproc_call_t* call, void* state);

// Returns the pointer that was kept last in this worker; null at first. Since 0.1.
MPROC_API void* mproc_call_worker_state(mproc_call_t* call);

// Returns 1 if the task should stop: it was cancelled, it is over its time limit, or the pool is being
// terminated; else 0. A long task may look now and then and return early, before its worker is killed. Since
// 0.1.
MPROC_API int32_t mproc_call_cancelled(mproc_call_t* call);

// Returns how many nanoseconds the task has left before it should stop, less than 0 when it is over its time
// limit, MPROC_FOREVER if it has none. Since 0.1.
MPROC_API int64_t mproc_call_time_left(mproc_call_t* call);

// Tells how far the task is: `done` of `total`, in units of its own. A few stores, no system call: the host
// looks when it likes (mproc_future_progress, mproc_pool_dump). What items of a map tell is seen in the dump
// only. Returns OK, INVALID_ARGUMENT. Since 0.1.
MPROC_API mproc_status_t mproc_call_progress(mproc_call_t* call, uint64_t done, uint64_t total);

// Writes a log record, MPROC_LOG_, `size` bytes of text (beyond 8 KiB: cut), for the log callback of the
// pool: all that a task writes is there before it is ready, also if it crashes. The last ones are seen in
// crash traces and dumps as well, whether the pool wants records of this level or not. If the host does not
// take them, waits up to a second. Returns OK, INVALID_ARGUMENT (text is null, size is not 0), QUEUE_FULL
// (dropped, and counted). Since 0.1.
MPROC_API mproc_status_t mproc_call_log(mproc_call_t* call, int32_t level, const char* text, size_t size);

// Returns the least level of records that the pool wants, INT32_MAX if none. Since 0.1.
MPROC_API int32_t mproc_call_log_level(mproc_call_t* call);

// Returns the index of the item that runs in a map, 0 in a plain task. Since 0.1.
MPROC_API uint64_t mproc_call_item_index(mproc_call_t* call);

// Returns a number to seed a random generator with: of one `seed`, every `stream` has another one, far from
// the others. The same two numbers give the same one everywhere and for ever, in workers and hosts: so with
// the index of the item as the stream, what a map draws does not depend on workers, chunks or time. Since
// 0.1.
MPROC_API uint64_t mproc_random_seed(uint64_t seed, uint64_t stream);

#endif
