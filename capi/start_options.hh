// SPDX-License-Identifier: MIT
// What setters of pools and of processes have in common: where their children come from.
#pragma once

#include <mproc/start.h>
#include <mproc/table.h>

#include "base/status.hh"
#include "start/options.hh"

namespace mproc::capi {

Status SetStartMethod(start::Options& options, int32_t method);
Status SetModule(start::Options& options, const char* path);
Status SetCommand(start::Options& options, const char* const* argv, size_t argc);
Status SetEnvironment(start::Options& options, const char* name, const char* value);
Status SetDirectory(start::Options& options, const char* path);
Status SetTable(start::Options& options, mproc_table_t* table);
Status SetWorkerProgram(start::Options& options, const char* path);

// Before a pool or a process is made: adds what was not said, or tells why there can be none here; `what`
// names it.
Status CompleteStart(start::Options* options, const char* what);

}  // namespace mproc::capi
