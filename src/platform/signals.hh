// SPDX-License-Identifier: MIT
// Signals by number and name, for rooms that speak of them but make no system call.
#pragma once

#include <signal.h>  // IWYU pragma: export

#include <string>

namespace mproc::platform {

// "SIGSEGV"; "SIG?" for a number without a name.
std::string SignalName(int number);

}  // namespace mproc::platform
