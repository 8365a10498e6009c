// SPDX-License-Identifier: MIT
#include "pool/worker_start.hh"

#include "base/clock.hh"
#include "ipc/message.hh"
#include "platform/identity.hh"
#include "platform/memory_file.hh"
#include "platform/program_path.hh"
#include "task/setup.hh"

namespace mproc::pool {

Result<WorkerPlan> PlanWorkerStart(const Options& options, const std::string& worker_program) {
  WorkerPlan plan;
  if (!options.module.empty()) {
    plan.program = worker_program;
    if (!options.worker_program.empty()) {
      auto found = platform::FindWorkerProgram(options.worker_program);
      if (!found.ok()) return found.status();
      plan.program = std::move(*found);
    }
    plan.arguments = {"mproc-worker", options.name};
    return plan;
  }
  auto self = platform::ExecutablePath();
  if (!self.ok()) return self.status();
  plan.program = std::move(*self);
  plan.arguments = {plan.program};
  plan.nonce =
      static_cast<uint64_t>(NowNs()) * 0x9e3779b97f4a7c15ull ^ static_cast<uint64_t>(platform::CurrentPid());
  plan.environment = {std::string(task::kSelfMark) + "=" + std::to_string(plan.nonce)};
  return plan;
}

Status SendSetup(int socket, const Options& options, const WorkerPlan& plan, uint32_t number,
                 const std::string& name, const WorkerDescriptors& descriptors) {
  task::Setup setup;
  setup.nonce = plan.nonce;
  setup.worker_number = number;
  setup.worker_name = name;
  setup.host_pid = platform::CurrentPid();
  setup.module = options.module;
  setup.has_initializer = options.has_initializer;
  setup.initializer = options.initializer;
  setup.initializer_data = options.initializer_data;
  auto body = task::EncodeSetup(setup);
  ipc::MessageHead head{static_cast<uint32_t>(ipc::MessageType::kSetup), 0, body.size()};
  int fds[4] = {descriptors.memory, descriptors.leader_bell, descriptors.engine_bell, -1};
  if (body.size() <= platform::kMaxMessage - sizeof head) {
    return ipc::SendFrame(socket, head, body, {fds, 3}, true);
  }
  auto file = platform::MakeMemoryFile("mproc-setup", body);
  if (!file.ok()) return file.status();
  fds[3] = file->get();
  return ipc::SendFrame(socket, head, {}, {fds, 4}, true);
}

}  // namespace mproc::pool
