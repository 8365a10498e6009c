// SPDX-License-Identifier: MIT
// How a worker process is started: which program with which arguments, and what it is told first.
#pragma once

#include <string>
#include <vector>

#include "base/status.hh"
#include "pool/options.hh"

namespace mproc::pool {

// Program, arguments and extra environment for workers of these options. `worker_program` is mproc-worker.
struct WorkerPlan {
  std::string program;
  std::vector<std::string> arguments;
  std::vector<std::string> environment;
  uint64_t nonce = 0;  // proves to a run of the host's own program that the mark in its environment is meant
};
Result<WorkerPlan> PlanWorkerStart(const Options& options, const std::string& worker_program);

// Sends the set-up, with the channel's memory and both bells, into the host's end of the socket.
struct WorkerDescriptors {
  int memory, leader_bell, engine_bell;
};
Status SendSetup(int socket, const Options& options, const WorkerPlan& plan, uint32_t number,
                 const std::string& name, const WorkerDescriptors& descriptors);

}  // namespace mproc::pool
