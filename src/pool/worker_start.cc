// SPDX-License-Identifier: MIT
#include "pool/worker_start.hh"

#include "pool/output.hh"
#include "start/launch.hh"

namespace mproc::pool {

Status EnterRuntime(Core* core) {
  auto starter = start::EnterRuntime(core->options);
  if (!starter.ok()) return starter.status();
  core->runtime = std::move(starter->runtime);
  core->children = starter->children;
  platform::NoForks no_forks;
  auto leader = platform::MakeEventFd();
  if (!leader.ok()) return leader.status();
  auto engine = platform::MakeEventFd();
  if (!engine.ok()) return engine.status();
  core->leader_bell = platform::GuardedFd(std::move(*leader));
  core->engine_bell = platform::GuardedFd(std::move(*engine));
  return Status();
}

Result<start::Plan> PlanWorkers(const Options& options, const std::string& worker_program) {
  bool threads = options.start_method == MPROC_START_THREADS;
  if (threads && options.worker.NeedsProcess()) {
    return Status(
        MPROC_ERROR_UNSUPPORTED,
        "limits of memory, CPU time and files, niceness and CPUs are for workers that are processes: "
        "with start method threads they would be the host's own");
  }
  if (threads && options.output.callback) {
    return Status(MPROC_ERROR_UNSUPPORTED,
                  "what workers print can be had of processes: threads have the host's own output");
  }
  return start::MakePlan(options, options.name, worker_program);
}

std::string NameOfWorker(const Options& options, uint32_t number) {
  std::string pool = options.name == "Pool" ? "" : options.name + "-";
  static constexpr const char* kWays[] = {"Spawn", "ForkServer", "Fork", "Thread"};  // by MPROC_START_
  return pool + kWays[options.start_method] + "PoolWorker-" + std::to_string(number);
}

Status SendSetup(int socket, const Core& core, const start::Plan& plan, uint32_t number,
                 const WorkerSlot& worker, int memory, const WorkerOutput* output) {
  const Options& options = core.options;
  task::Setup setup;
  setup.worker_number = number;
  setup.worker_name = worker.name;
  setup.has_initializer = options.has_initializer;
  setup.initializer = options.initializer;
  setup.initializer_data = options.initializer_data;
  setup.terms = options.worker.terms;
  if (worker.cpu >= 0) setup.terms.cpus = {worker.cpu};
  start::SetupDescriptors descriptors{memory, core.leader_bell.get(), core.engine_bell.get()};
  if (output) {
    for (int32_t stream : {MPROC_OUTPUT_STANDARD, MPROC_OUTPUT_ERROR}) {
      descriptors.streams.push_back(output->end_of(stream));
    }
  }
  return start::SendSetup(socket, std::move(setup), options, plan, descriptors);
}

}  // namespace mproc::pool
