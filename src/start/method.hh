// SPDX-License-Identifier: MIT
// The start method of pools and processes that name none. One for the process; any thread.
#pragma once

#include <mproc/start.h>

#include <cstdint>

#include "base/status.hh"

namespace mproc::start {

inline constexpr int32_t kStartMethods = 4;  // numbered from 0

int32_t DefaultStartMethod();
// As mproc_start_method_set says, of a method that there is.
Status SetDefaultStartMethod(int32_t method, bool force);

}  // namespace mproc::start
