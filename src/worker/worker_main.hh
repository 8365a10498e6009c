// SPDX-License-Identifier: MIT
// A worker process from its start to its end.
#pragma once

#include <cstdint>
#include <functional>

#include "task/table.hh"

namespace mproc::worker {

// Calls a module's entry point with a table to fill; the C edge knows how.
using CallEntry = std::function<Status(void* entry, task::Table* table)>;

// True if this process was started as a worker by a run of its own program; the mark is removed. The nonce
// has to be the one that the host will tell.
bool TakeSelfMark(uint64_t* nonce);
// True while the mark is there, that is, if this is a worker run and nobody has served it.
bool HasSelfMark();
// Tells the host that this worker run will never serve.
void RefuseSelf();

// Serves on descriptor 3 until the host orders the end or is gone; the exit status. `own` is the table of a
// program that is its own worker; without it the set-up names a module. Main thread.
int WorkerMain(const task::Table* own, uint64_t nonce, const CallEntry& call_entry);

// True in a process that serves.
bool IsWorker();

}  // namespace mproc::worker
