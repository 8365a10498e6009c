// SPDX-License-Identifier: MIT
// What becomes of the tasks that a worker held when it ended.
#pragma once

#include "pool/core.hh"
#include "pool/dispatcher.hh"

namespace mproc::pool {

// The worker has ended and its results have been read: tasks that it had claimed end as lost, with all that
// is known of how, and the others go back to the front of the queue. In a pool that is being terminated all
// end as cancelled. True if a task was lost. Needs the drain lock and the pool's mutex.
bool BuryTasks(Core& core, Dispatcher& dispatcher, WorkerSlot* worker, runtime::ChildExit exit);

}  // namespace mproc::pool
