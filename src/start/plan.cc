// SPDX-License-Identifier: MIT
#include "start/plan.hh"

#include "base/clock.hh"
#include "ipc/message.hh"
#include "platform/file_mark.hh"
#include "platform/identity.hh"
#include "platform/memory_file.hh"
#include "platform/program_path.hh"
#include "platform/surroundings.hh"
#include "start/host_child.hh"
#include "worker/process_key.hh"
#include "worker/process_self.hh"

namespace mproc::start {

Result<Plan> MakePlan(const Options& options, const std::string& name, const std::string& worker_program) {
  Plan plan;
  for (const auto& [variable, value] : options.environment) {
    if (value) {
      plan.environment.push_back(variable + "=" + *value);
    } else {
      plan.unset.push_back(variable);
    }
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
      plan.arguments = {"mproc-worker", options.command_serves ? "--command" : "--run"};
      plan.arguments.insert(plan.arguments.end(), options.command.begin(), options.command.end());
      plan.own_error = options.command_serves;
      return plan;
    }
    plan.fork = forks && options.command.empty();
    plan.arguments = {"mproc-worker", name};
    // Children share a template if they have all this in common; a module that was built anew is another one.
    if (plan.fork)
      plan.arguments = {"mproc-template", "--template", options.module, platform::FileMark(options.module)};
    if (plan.fork == forks) return plan;
  }
  if (forks) {
    return Status(
        MPROC_ERROR_UNSUPPORTED,
        "start method forkserver needs a module: children that are this program itself, or a command, can "
        "be spawned");
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

Status SendSetup(int socket, task::Setup setup, const Options& options, const Plan& plan,
                 const SetupDescriptors& descriptors) {
  setup.nonce = plan.nonce;
  setup.host_pid = platform::CurrentPid();
  setup.host_name = worker::Self().name;
  setup.module = options.module;
  if (auto key = worker::ProcessKey(); key.ok()) setup.key = std::move(*key);
  setup.has_output = !descriptors.streams.empty();
  auto body = task::EncodeSetup(setup);
  ipc::MessageHead head{static_cast<uint32_t>(ipc::MessageType::kSetup), 0, body.size()};
  std::vector<int> fds = {descriptors.memory, descriptors.leader_bell, descriptors.engine_bell};
  platform::GuardedFd long_body;
  if (body.size() > platform::kMaxMessage - sizeof head) {
    platform::NoForks no_forks;
    auto file = platform::MakeMemoryFile("mproc-setup", body);
    if (!file.ok()) return file.status();
    long_body = platform::GuardedFd(std::move(*file));
    fds.push_back(long_body.get());
    body.clear();
  }
  fds.insert(fds.end(), descriptors.objects.begin(), descriptors.objects.end());
  fds.insert(fds.end(), descriptors.streams.begin(), descriptors.streams.end());
  // What its standard error is to be after the hello.
  if (!setup.has_output && plan.own_error && platform::IsOpen(2)) fds.push_back(2);
  return ipc::SendFrame(socket, head, body, fds, true);
}

}  // namespace mproc::start
