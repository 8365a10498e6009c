// SPDX-License-Identifier: MIT
// Processes: a function of a table in a process of its own, with objects that both sides use, an exit code
// and a descriptor that tells of its end.
#ifndef MPROC_PROCESS_H
#define MPROC_PROCESS_H

#include <mproc/process_options.h>

// A process. Its handle lives until mproc_process_destroy.
typedef struct mproc_process_t mproc_process_t;

// Makes a process, which is not started yet, with a copy of the options, and writes its handle to *process.
// Without a name it is "Process-N"; the children of that are "Process-N:M". Returns OK, INVALID_ARGUMENT
// (also without a function), INVALID_HANDLE, STALE_HANDLE, UNSUPPORTED, NOT_SERVED (this run of the program
// is a process or worker that has not been served yet; or its children would be this program, which has not
// called mproc_worker_main), OUT_OF_MEMORY. Any thread. Since 0.1.
MPROC_API mproc_status_t mproc_process_create(mproc_process_options_t* options, mproc_process_t** process);

// Starts it, once, and returns when it has been started. What it finds out later (a module that cannot be
// loaded, a function that its table has not) ends it with exit code 1, and mproc_process_failure tells. It
// ends with its parent at the latest. Returns OK, ALREADY_STARTED, NOT_RUNNING (the runtime is being
// ended), NO_WORKER_PROGRAM, UNSUPPORTED, SYSTEM, DESCRIPTOR_LIMIT, OUT_OF_MEMORY, WORKER_LOST (who should
// start it died); after an error it can be started again. Any thread. Since 0.1.
MPROC_API mproc_status_t mproc_process_start(mproc_process_t* process);

// Waits until it has ended, `limit` nanoseconds at most; any number of threads, any number of times.
// Returns OK, NOT_STARTED, TIMED_OUT, INTERRUPTED. Any thread. Since 0.1.
MPROC_API mproc_status_t mproc_process_join(mproc_process_t* process, int64_t limit);

// Sends it SIGTERM. A process that is a thread hears of it by mproc_call_cancelled, which is 1 in its
// function from then on. Nothing happens if it has ended. Returns OK, NOT_STARTED. Any thread. Since 0.1.
MPROC_API mproc_status_t mproc_process_terminate(mproc_process_t* process);

// The same with SIGKILL. A process that is a thread counts as killed, and goes on by itself. Since 0.1.
MPROC_API mproc_status_t mproc_process_kill(mproc_process_t* process);

// The same with a signal of that number. Returns OK, NOT_STARTED, INVALID_ARGUMENT (none of 1 to 64). Since
// 0.1.
MPROC_API mproc_status_t mproc_process_signal(mproc_process_t* process, int32_t signal);

// Writes 1 to *alive if it was started and has not ended, else 0. Returns OK. Any thread. Since 0.1.
MPROC_API mproc_status_t mproc_process_is_alive(mproc_process_t* process, int32_t* alive);

// Writes the exit code to *code: 0 if its function succeeded; what the function returned, in its low eight
// bits, if that is positive; 1 if it failed otherwise; what it gave to exit(); -N if signal N ended it; 255
// if nobody knows. Returns OK, NOT_STARTED, STILL_ALIVE. Any thread. Since 0.1.
MPROC_API mproc_status_t mproc_process_exit_code(mproc_process_t* process, int32_t* code);

// Writes its number to *pid; that of this process if it is a thread. Returns OK, NOT_STARTED. Any thread.
// Since 0.1.
MPROC_API mproc_status_t mproc_process_pid(mproc_process_t* process, int64_t* pid);

// Writes a descriptor to *fd that is readable from its end on, for ever, for poll and the like. It is the
// process's: read nothing from it; it is closed by mproc_process_destroy. Returns OK, NOT_STARTED. Any
// thread. Since 0.1.
MPROC_API mproc_status_t mproc_process_sentinel(mproc_process_t* process, int32_t* fd);

// Writes its name to *name, which lives as long as the handle. Returns OK. Any thread. Since 0.1.
MPROC_API mproc_status_t mproc_process_name(mproc_process_t* process, const char** name);

// Writes 1 to *daemon if it is one, else 0. Returns OK. Any thread. Since 0.1.
MPROC_API mproc_status_t mproc_process_is_daemon(mproc_process_t* process, int32_t* daemon);

// Tells why it failed, as its function or the library said it: code, and texts that live as long as the
// handle; each may be null if nobody wants it. Returns OK; NOT_STARTED; STILL_ALIVE; NO_ERROR if it told of
// none: it succeeded, left by exit(), or was ended by a signal. Any thread. Since 0.1.
MPROC_API mproc_status_t mproc_process_failure(mproc_process_t* process, int32_t* code, const char** type,
                                               const char** message, const char** trace);

// Gives the handle back, and closes the descriptor. Null is none. Returns OK, STILL_ALIVE (nothing
// happened), INVALID_HANDLE, STALE_HANDLE. Any thread; nobody may use it meanwhile. Since 0.1.
MPROC_API mproc_status_t mproc_process_destroy(mproc_process_t* process);

// Writes the handles of the processes of this process that are alive now to `processes`, in the order of
// their making, at most `capacity`, and to *count how many there are. Returns OK, INVALID_ARGUMENT. Any
// thread. Since 0.1.
MPROC_API mproc_status_t mproc_process_active(mproc_process_t** processes, size_t capacity, size_t* count);

// Called at the end of a process with what it was added with.
typedef void (*mproc_exit_hook_cb)(void* user_data);

// Has `hook` called when this process ends in good order: a process by its function's return, a worker when
// its pool needs it no more, another program in mproc_runtime_finish, there before children are ended, or
// after that if `priority` is negative. The highest priority comes first, and among equals the last that was
// added. Not after exit() or a signal, nor in children that are forked from here. A process that is a thread
// has hooks of its own. Returns OK, INVALID_ARGUMENT (hook is null), OUT_OF_MEMORY. Any thread. Since 0.1.
MPROC_API mproc_status_t mproc_process_add_exit_hook(mproc_exit_hook_cb hook, void* user_data,
                                                     int32_t priority);

// Returns the name of this process, or of the thread of it that is one: "MainProcess" if no process or pool
// of this library started it. The text is this thread's until its next call. Any thread. Since 0.1.
MPROC_API const char* mproc_process_current_name(void);

// Returns 1 if this process is a daemon, else 0. Any thread. Since 0.1.
MPROC_API int32_t mproc_process_current_is_daemon(void);

// Writes the number and name of the process that started this one; each may be null. It lives as long as
// this one does: children end with their parent. The text is this thread's until its next call. Returns OK;
// END if this is no process or worker of the library. Any thread. Since 0.1.
MPROC_API mproc_status_t mproc_process_parent(int64_t* pid, const char** name);

// Waits at most `limit` nanoseconds until the process that started this one has ended; with a limit of 0 it
// tells whether it lives. Children end with their parent, so this is for who must know while the launcher
// that sees to that is stopped. Returns OK: it has ended; TIMED_OUT: it lives; INTERRUPTED; END as
// mproc_process_parent. Any thread. Since 0.1.
MPROC_API mproc_status_t mproc_process_parent_join(int64_t limit);

// Writes a descriptor to *fd that becomes readable when that process ends, for poll and mproc_wait. It stays
// the library's and is good until this process ends. Returns OK; INVALID_ARGUMENT (fd is null);
// UNSUPPORTED (Linux before 5.3, and for a process that is a thread); DESCRIPTOR_LIMIT or
// OUT_OF_MEMORY, and the next call tries again; END. Any thread. Since 0.1.
MPROC_API mproc_status_t mproc_process_parent_sentinel(int32_t* fd);

// The key of this program, by which its processes know one another when they connect with
// MPROC_KEY_OF_PROCESS (listener.h): 32 random bytes, unless it was set. Children, workers included, have
// what their parent had when it started them. Sets it to a copy of 1 byte to 1 MiB. Returns OK,
// INVALID_ARGUMENT, OUT_OF_MEMORY. Any thread. Since 0.1.
MPROC_API mproc_status_t mproc_process_set_authkey(const void* key, size_t size);

// Copies it to `key`, which has room for `capacity` bytes, and writes its size to *size. Returns OK;
// INVALID_ARGUMENT (size is null; key is null, capacity is not 0); BUFFER_TOO_SMALL: *size is needed;
// UNSUPPORTED (the system gives no random bytes). Any thread. Since 0.1.
MPROC_API mproc_status_t mproc_process_authkey(void* key, size_t capacity, size_t* size);

#endif
