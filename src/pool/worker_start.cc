// SPDX-License-Identifier: MIT
#include "pool/worker_start.hh"

#include "base/clock.hh"
#include "ipc/message.hh"
#include "platform/file_mark.hh"
#include "platform/identity.hh"
#include "platform/memory_file.hh"
#include "platform/program_path.hh"
#include "platform/surroundings.hh"
#include "pool/host_worker.hh"
#include "pool/output.hh"
#include "task/setup.hh"

namespace mproc::pool {

Result<WorkerPlan> PlanWorkerStart(const Options& options, const std::string& worker_program) {
  WorkerPlan plan;
  for (const auto& [name, value] : options.environment) {
    if (value) {
      plan.environment.push_back(name + "=" + *value);
    } else {
      plan.unset.push_back(name);
    }
  }
  if (options.start_method == MPROC_START_THREADS && options.worker.NeedsProcess()) {
    return Status(
        MPROC_ERROR_UNSUPPORTED,
        "limits of memory, CPU time and files, niceness and CPUs are for workers that are processes: "
        "with start method threads they would be the host's own");
  }
  if (options.start_method == MPROC_START_THREADS && options.output.callback) {
    return Status(MPROC_ERROR_UNSUPPORTED,
                  "what workers print can be had of processes: threads have the host's own output");
  }
  if (options.of_host()) {
    auto functions = HostFunctions::Of(options);
    if (!functions.ok()) return functions.status();
    plan.functions = std::move(*functions);
    return plan;
  }
  bool forks = options.start_method == MPROC_START_FORKSERVER;
  if (!options.module.empty() || !options.command.empty()) {
    plan.program = worker_program;
    if (!options.worker_program.empty()) {
      auto found = platform::FindWorkerProgram(options.worker_program);
      if (!found.ok()) return found.status();
      plan.program = std::move(*found);
    }
    if (!options.command.empty() && !forks) {
      plan.arguments = {"mproc-worker", "--command"};
      plan.arguments.insert(plan.arguments.end(), options.command.begin(), options.command.end());
      plan.own_error = true;
      return plan;
    }
    plan.fork = forks && options.command.empty();
    plan.arguments = {"mproc-worker", options.name};
    // Pools share a template if they have all this in common; a module that was built anew is another one.
    if (plan.fork)
      plan.arguments = {"mproc-template", "--template", options.module, platform::FileMark(options.module)};
    if (plan.fork == forks) return plan;
  }
  if (forks) {
    return Status(
        MPROC_ERROR_UNSUPPORTED,
        "start method forkserver is for pools with a module: workers that are this program itself, or "
        "a command, can be spawned");
  }
  auto self = platform::ExecutablePath();
  if (!self.ok()) return self.status();
  plan.program = std::move(*self);
  plan.arguments = {plan.program};
  plan.nonce =
      static_cast<uint64_t>(NowNs()) * 0x9e3779b97f4a7c15ull ^ static_cast<uint64_t>(platform::CurrentPid());
  plan.environment.push_back(std::string(task::kSelfMark) + "=" + std::to_string(plan.nonce));
  return plan;
}

std::string NameOfWorker(const Options& options, uint32_t number) {
  std::string pool = options.name == "Pool" ? "" : options.name + "-";
  static constexpr const char* kWays[] = {"Spawn", "ForkServer", "Fork", "Thread"};  // by MPROC_START_
  return pool + kWays[options.start_method] + "PoolWorker-" + std::to_string(number);
}

Status SendSetup(int socket, const Options& options, const WorkerPlan& plan, uint32_t number,
                 const std::string& name, int32_t cpu, const WorkerDescriptors& descriptors) {
  task::Setup setup;
  setup.nonce = plan.nonce;
  setup.worker_number = number;
  setup.worker_name = name;
  setup.host_pid = platform::CurrentPid();
  setup.module = options.module;
  setup.has_initializer = options.has_initializer;
  setup.initializer = options.initializer;
  setup.initializer_data = options.initializer_data;
  setup.terms = options.worker.terms;
  setup.has_output = descriptors.output != nullptr;
  if (cpu >= 0) setup.terms.cpus = {cpu};
  auto body = task::EncodeSetup(setup);
  ipc::MessageHead head{static_cast<uint32_t>(ipc::MessageType::kSetup), 0, body.size()};
  std::vector<int> fds = {descriptors.memory, descriptors.leader_bell, descriptors.engine_bell};
  runtime::GuardedFd long_body;
  if (body.size() > platform::kMaxMessage - sizeof head) {
    runtime::NoForks no_forks;
    auto file = platform::MakeMemoryFile("mproc-setup", body);
    if (!file.ok()) return file.status();
    long_body = runtime::GuardedFd(std::move(*file));
    fds.push_back(long_body.get());
    body.clear();
  }
  if (descriptors.output) {
    for (int32_t stream : {MPROC_OUTPUT_STANDARD, MPROC_OUTPUT_ERROR}) {
      fds.push_back(descriptors.output->end_of(stream));
    }
  } else if (plan.own_error && platform::IsOpen(2)) {
    fds.push_back(2);  // what its standard error is to be after the hello
  }
  return ipc::SendFrame(socket, head, body, fds, true);
}

}  // namespace mproc::pool
