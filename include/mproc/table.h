// SPDX-License-Identifier: MIT
// Function tables: the only code that a worker can be asked to run, each function by id and name.
#ifndef MPROC_TABLE_H
#define MPROC_TABLE_H

#include <mproc/status.h>

// One running task, seen from its function (call.h). Valid during the function's run only.
typedef struct mproc_call mproc_call_t;

// A function of a table. Runs in a worker, on the worker's main thread. `input` are `size` bytes that live
// until the function returns (never null, also when size is 0). Returns 0 for success: the value is what
// mproc_call_reply or mproc_call_reply_alloc set, empty bytes if neither was called. Any other number is
// a task error with that code, which mproc_call_fail can detail. Must not unwind (no longjmp, no exception
// of another language) into the library; a C++ exception becomes a task error.
typedef int32_t (*mproc_function_cb)(mproc_call_t* call, const void* input, size_t size, void* user_data);

// An opaque function table. Not to be changed by two threads at once.
typedef struct mproc_table mproc_table_t;

// Makes an empty table in *table; the caller owns it. Returns OK, INVALID_ARGUMENT (null), OUT_OF_MEMORY.
// Any thread. Since 0.1.
MPROC_API mproc_status_t mproc_table_create(mproc_table_t** table);

// Frees a table; null is fine. Pools made with it keep a copy. Returns OK, INVALID_HANDLE or STALE_HANDLE.
// Any thread. Since 0.1.
MPROC_API mproc_status_t mproc_table_destroy(mproc_table_t* table);

// Adds a function under a numeric id, below 2^31, and a name (1 to 255 bytes of UTF-8, copied). `function`
// may be null in a host that only describes what its workers serve. `user_data` is handed to the function
// unchanged. Returns OK, INVALID_ARGUMENT (id or name), DUPLICATE (id or name taken), OUT_OF_MEMORY,
// TOO_LARGE (more than 65536 functions), INVALID_HANDLE, STALE_HANDLE. Since 0.1.
MPROC_API mproc_status_t mproc_table_add(mproc_table_t* table, uint32_t id, const char* name,
                                         mproc_function_cb function, void* user_data);

// Writes the number of functions to *count. Returns OK, INVALID_ARGUMENT, INVALID_HANDLE, STALE_HANDLE.
// Since 0.1.
MPROC_API mproc_status_t mproc_table_count(mproc_table_t* table, size_t* count);

// Writes the id of the function called `name` to *id. Returns OK, UNKNOWN_FUNCTION, INVALID_ARGUMENT,
// INVALID_HANDLE, STALE_HANDLE. Since 0.1.
MPROC_API mproc_status_t mproc_table_find(mproc_table_t* table, const char* name, uint32_t* id);

// Writes the fingerprint (of ids, names and ABI, not of addresses or order) that host and worker compare.
// Returns OK, INVALID_ARGUMENT, INVALID_HANDLE, STALE_HANDLE. Since 0.1.
MPROC_API mproc_status_t mproc_table_fingerprint(mproc_table_t* table, uint64_t* fingerprint);

// The one function that a module exports: it fills the worker's table. Returns OK, or a negative status to
// refuse the start. A module need not be linked with libmproc: mproc-worker brings what it calls.
//
//   MPROC_MODULE_ENTRY mproc_status_t mproc_module_main(mproc_table_t* table) { ... }
#ifdef __cplusplus
#define MPROC_MODULE_ENTRY extern "C" MPROC_EXPORT
#else
#define MPROC_MODULE_ENTRY MPROC_EXPORT
#endif
typedef mproc_status_t (*mproc_module_main_cb)(mproc_table_t* table);
#define MPROC_MODULE_ENTRY_NAME "mproc_module_main"

#endif
