// SPDX-License-Identifier: MIT
// What a process does that is no worker: calls its one function. Its main thread, after the hello.
#pragma once

#include "task/setup.hh"
#include "worker/runner.hh"

namespace mproc::worker {

// Returns the exit code: 0, or that of the error, which the host is told, and the standard error shows if it
// has a type.
int RunProcess(task::ProcessTerms terms, WorkerContext* context, Runner* runner);

}  // namespace mproc::worker
