// SPDX-License-Identifier: MIT
// Calls what a module exports, on behalf of the worker that has loaded it.
#pragma once

#include "base/status.hh"
#include "task/table.hh"

namespace mproc::capi {

// Gives the module's entry point a handle on the table that it is to fill.
Status CallModuleEntry(void* entry, task::Table* table);

}  // namespace mproc::capi
