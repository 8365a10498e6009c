// SPDX-License-Identifier: MIT
// Locks that are free in a forked child, whatever other threads of the parent were doing. Any thread.
#pragma once

#include <mutex>

namespace mproc::platform {

// From now on every fork of this process happens while `mutex` is held by the forking thread. For leaf locks
// of objects that live as long as the process; at most eight.
void HoldOverFork(std::mutex* mutex);

}  // namespace mproc::platform
