// SPDX-License-Identifier: MIT
// What a process, or a thread, asks about itself. In mproc-worker, too: modules ask it there.
#include <mproc/worker.h>

#include "worker/worker_state.hh"

using namespace mproc;

int32_t mproc_worker_is_worker(void) { return worker::IsWorker() ? 1 : 0; }  // wall: cannot throw
int32_t mproc_worker_start_method(void) { return worker::StartedBy(); }      // wall: cannot throw
