// SPDX-License-Identifier: MIT
// What the system tells of a process in a file of /proc/PID.
#pragma once

#include <sys/types.h>

#include <string>

namespace mproc::platform {

// The first 256 KiB of it; "" if it cannot be read, as when the process is gone.
std::string ReadProcFile(pid_t pid, const char* name);

}  // namespace mproc::platform
