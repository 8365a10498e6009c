// SPDX-License-Identifier: MIT
// The handles of processes and of their options.
#pragma once

#include <mproc/process.h>

#include "capi/handle_calls.hh"
#include "process/process.hh"

namespace mproc::capi {

using ProcessHandles = Handles<process::Process, 9>;
using ProcessOptionsHandles = Handles<process::Options, 10>;

}  // namespace mproc::capi
