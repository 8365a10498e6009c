// SPDX-License-Identifier: MIT
// What a process is made with.
#ifndef MPROC_PROCESS_OPTIONS_H
#define MPROC_PROCESS_OPTIONS_H

#include <mproc/start.h>
#include <mproc/table.h>

// Options of processes. One object serves for any number of them, which get copies. Setters copy what they
// are given. Any thread, one at a time.
typedef struct mproc_process_options_t mproc_process_options_t;

// Makes options with defaults and writes their handle to *options. Returns OK, INVALID_ARGUMENT,
// OUT_OF_MEMORY. Since 0.1.
MPROC_API mproc_status_t mproc_process_options_create(mproc_process_options_t** options);

// Gives the handle back. Null is none. Returns OK, INVALID_HANDLE, STALE_HANDLE. Since 0.1.
MPROC_API mproc_status_t mproc_process_options_destroy(mproc_process_options_t* options);

// The function of the table that the process calls, and `size` bytes that it gets as its input. No default.
// Returns OK, INVALID_ARGUMENT. Since 0.1.
MPROC_API mproc_status_t mproc_process_options_set_function(mproc_process_options_t* options,
                                                            uint32_t function_id, const void* data,
                                                            size_t size);

// The objects that go with it, at most 64: the function finds them by mproc_call_object, in this order.
// They are kept until the options are destroyed or others are set. Default: none. Returns OK,
// INVALID_ARGUMENT. Since 0.1.
MPROC_API mproc_status_t mproc_process_options_set_objects(mproc_process_options_t* options,
                                                           void* const* objects, size_t count);

// The name, 1 to 63 bytes without a line's end. Default: "Process-N". Returns OK, INVALID_ARGUMENT. Since
// 0.1.
MPROC_API mproc_status_t mproc_process_options_set_name(mproc_process_options_t* options, const char* name);

// Not 0: mproc_runtime_finish ends it by SIGTERM, instead of waiting for its own end. Default: as the
// process is that makes it; no. Returns OK. Since 0.1.
MPROC_API mproc_status_t mproc_process_options_set_daemon(mproc_process_options_t* options, int32_t daemon);

// How it is started, MPROC_START_. Default: what mproc_start_method_get tells. Returns OK,
// INVALID_ARGUMENT. Since 0.1.
MPROC_API mproc_status_t mproc_process_options_set_start_method(mproc_process_options_t* options,
                                                                int32_t method);

// Not 0: start method fork, although this process has threads of its own, whose locks the child would find
// as they were. Default 0. Returns OK. Since 0.1.
MPROC_API mproc_status_t mproc_process_options_set_fork_with_threads(mproc_process_options_t* options,
                                                                     int32_t on);

// The shared library whose functions it calls; else it is this program again, which has to call
// mproc_worker_main. Returns OK, INVALID_ARGUMENT. Since 0.1.
MPROC_API mproc_status_t mproc_process_options_set_module(mproc_process_options_t* options, const char* path);

// Lets the process be any program with these arguments, argv[0] included, which is looked for in PATH if it
// has no slash, instead of a function: it is given no objects, its standard input is the null device, and its
// exit code is the process's. Always by spawn. The strings are copied. Replaces a module. Returns OK,
// INVALID_ARGUMENT, OUT_OF_MEMORY. Since 0.1.
MPROC_API mproc_status_t mproc_process_options_set_command(mproc_process_options_t* options,
                                                           const char* const* argv, size_t argc);

// A table in memory, for start methods fork and threads. Returns OK. Since 0.1.
MPROC_API mproc_status_t mproc_process_options_set_table(mproc_process_options_t* options,
                                                         mproc_table_t* table);

// A variable of its environment; null as value: it is not there. Any number of times. Returns OK,
// INVALID_ARGUMENT. Since 0.1.
MPROC_API mproc_status_t mproc_process_options_set_environment(mproc_process_options_t* options,
                                                               const char* name, const char* value);

// Its working directory. Default: this process's. Returns OK, INVALID_ARGUMENT. Since 0.1.
MPROC_API mproc_status_t mproc_process_options_set_directory(mproc_process_options_t* options,
                                                             const char* path);

// The program mproc-worker, where it is not found by itself. Returns OK, INVALID_ARGUMENT. Since 0.1.
MPROC_API mproc_status_t mproc_process_options_set_worker_program(mproc_process_options_t* options,
                                                                  const char* path);

#endif
