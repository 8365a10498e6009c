// SPDX-License-Identifier: MIT
// The handles of values.
#pragma once

#include "capi/handle_calls.hh"
#include "task/value.hh"

namespace mproc::capi {

using ValueHandles = Handles<task::Value, 4>;

}  // namespace mproc::capi
