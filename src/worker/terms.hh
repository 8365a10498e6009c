// SPDX-License-Identifier: MIT
// A worker takes on the limits that it was given, before anything of the user's is loaded or run.
#pragma once

#include "base/status.hh"
#include "task/worker_terms.hh"

namespace mproc::worker {

// UNSUPPORTED, which tells what the system refused.
Status TakeOn(const task::WorkerTerms& terms);

}  // namespace mproc::worker
