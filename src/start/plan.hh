// SPDX-License-Identifier: MIT
// How a child is started: which program with which arguments, and what it is told first.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/status.hh"
#include "platform/fork_guard.hh"
#include "start/options.hh"
#include "task/setup.hh"

namespace mproc::start {

class HostFunctions;

// Program, arguments and extra environment of such children. `worker_program` is mproc-worker, `name` what a
// list of processes shows of it.
struct Plan {
  std::string program;
  std::vector<std::string> arguments;
  std::vector<std::string> environment;
  std::vector<std::string> unset;            // names
  bool own_error = false;                    // the standard error is ours until the hello
  bool fork = false;                         // the program is a template, which forks children
  std::shared_ptr<HostFunctions> functions;  // of children that are made of the host; then no program is run
  uint64_t nonce = 0;  // proves to a run of the host's own program that the mark in its environment is meant
};
Result<Plan> MakePlan(const Options& options, const std::string& name, const std::string& worker_program);

// What goes with a set-up, besides what it says; all borrowed.
struct SetupDescriptors {
  int memory, leader_bell, engine_bell;  // of the channel
  std::vector<int> objects{};            // those of setup.process.objects
  std::vector<int> streams{};            // what its standard output and error are to be; else the host's
};

// Sends the set-up into the host's end of the socket; what the plan knows and whose child it is are added.
Status SendSetup(int socket, task::Setup setup, const Options& options, const Plan& plan,
                 const SetupDescriptors& descriptors);

}  // namespace mproc::start
