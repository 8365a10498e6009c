// SPDX-License-Identifier: MIT
// The names of signals, for rooms that speak of them but make no system call.
#pragma once

#include <signal.h>  // IWYU pragma: export
