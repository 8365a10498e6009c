// SPDX-License-Identifier: MIT
// The last call of a worker that was told to finish: its finalizer, and what the host is told of it.
#pragma once

#include "task/worker_terms.hh"
#include "worker/runner.hh"

namespace mproc::worker {

// Worker's main thread, after its last task.
void RunLastCall(const task::WorkerTerms& terms, int socket, Runner* runner);

}  // namespace mproc::worker
