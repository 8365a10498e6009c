// SPDX-License-Identifier: MIT
// The one runtime of a process: engine thread, launcher process, descriptors. Made by the first pool.
#ifndef MPROC_RUNTIME_H
#define MPROC_RUNTIME_H

#include <mproc/status.h>

// Ends the runtime: terminates every pool that still lives, then ends the launcher process and the engine
// thread and closes every descriptor of the library, but for two of libuv's and two of each pool that was not
// destroyed or has futures that were not released; waits for that at most `limit` nanoseconds. A later pool
// starts the runtime anew. Nobody has to call it: a process that just ends leaves nothing behind either.
// Returns OK (also when there was no runtime), TIMED_OUT (the rest goes on in the background; call again),
// WOULD_BLOCK_ITSELF (from a callback), FORKED. Any thread. Since 0.1.
MPROC_API mproc_status_t mproc_runtime_finish(int64_t limit);

// Writes the process id of the launcher to *pid, 0 if none runs. Returns OK, INVALID_ARGUMENT. Any thread.
// Since 0.1.
MPROC_API mproc_status_t mproc_runtime_launcher_pid(int64_t* pid);

// Writes how many workers a pool gets by default: the least of the cores, the CPUs of this process's
// affinity mask and the CPU quota of its cgroup, at least 1. Returns OK, INVALID_ARGUMENT. Any thread.
// Since 0.1.
MPROC_API mproc_status_t mproc_runtime_default_workers(int32_t* workers);

#endif
