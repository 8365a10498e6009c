// SPDX-License-Identifier: MIT
// What the system says of a process. Any thread.
#pragma once

#include <sys/types.h>

#include <cstdint>

namespace mproc::platform {

// True if the process is stopped by a signal; false if not, or if /proc cannot tell.
bool IsStopped(pid_t pid);

// The threads of this process; 0 if /proc cannot tell.
int CountThreads();

// Bytes of memory that a process has for itself: resident, and neither of a file nor shared. 0 if that cannot
// be told.
uint64_t OwnMemory(pid_t pid);

}  // namespace mproc::platform
