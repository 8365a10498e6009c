// SPDX-License-Identifier: MIT
// What the system says of another process. Any thread.
#pragma once

#include <sys/types.h>

namespace mproc::platform {

// True if the process is stopped by a signal; false if not, or if /proc cannot tell.
bool IsStopped(pid_t pid);

}  // namespace mproc::platform
