// SPDX-License-Identifier: MIT
// What is a pool's own in the start of its workers: where they live, their names, what they are told first,
// and the events of their lives.
#pragma once

#include <string>

#include "pool/core.hh"
#include "start/link.hh"
#include "start/plan.hh"

namespace mproc::pool {

// What happened to the worker of this number, in this place; in none (-1): something is due.
struct WorkerEvent : start::ChildEvent {
  int place = -1;
  uint32_t number = 0;
};

// Gives the pool the runtime that its options need, who there starts its workers, and its bells.
Status EnterRuntime(Core* core);

Result<start::Plan> PlanWorkers(const Options& options, const std::string& worker_program);

// The name of a worker, which tells how it was started.
std::string NameOfWorker(const Options& options, uint32_t number);

// Sends the set-up of a worker with this memory of its channel into the host's end of the socket. What it
// prints goes to `output`; null: where the host's does.
Status SendSetup(int socket, const Core& core, const start::Plan& plan, uint32_t number,
                 const WorkerSlot& worker, int memory, const WorkerOutput* output);

}  // namespace mproc::pool
