// SPDX-License-Identifier: MIT
// How a worker process is started: which program with which arguments, and what it is told first.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/status.hh"
#include "pool/options.hh"

namespace mproc::pool {

class HostFunctions;
class WorkerOutput;

// Program, arguments and extra environment for workers of these options. `worker_program` is mproc-worker.
struct WorkerPlan {
  std::string program;
  std::vector<std::string> arguments;
  std::vector<std::string> environment;
  std::vector<std::string> unset;            // names
  bool own_error = false;                    // the standard error is ours until the hello
  bool fork = false;                         // the program is a template, which forks workers
  std::shared_ptr<HostFunctions> functions;  // of workers that are made of the host; then no program is run
  uint64_t nonce = 0;  // proves to a run of the host's own program that the mark in its environment is meant
};
Result<WorkerPlan> PlanWorkerStart(const Options& options, const std::string& worker_program);

// The name of a worker, which tells how it was started.
std::string NameOfWorker(const Options& options, uint32_t number);

// Sends the set-up for a worker that is to run on this CPU (-1: as the options say), with the channel's
// memory and both bells, into the host's end of the socket.
struct WorkerDescriptors {
  int memory, leader_bell, engine_bell;
  const WorkerOutput* output;  // what it prints goes there; null: where it does
};
Status SendSetup(int socket, const Options& options, const WorkerPlan& plan, uint32_t number,
                 const std::string& name, int32_t cpu, const WorkerDescriptors& descriptors);

}  // namespace mproc::pool
