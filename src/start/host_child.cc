// SPDX-License-Identifier: MIT
#include "start/host_child.hh"

#include <utility>

#include "platform/host_threads.hh"
#include "platform/identity.hh"
#include "platform/surroundings.hh"

namespace mproc::start {
namespace {

// What a thread that is a worker uses. It may outlive its pool.
struct ThreadWorker {
  ThreadWorker(ipc::WorkerChannel its_channel, std::shared_ptr<HostFunctions> its_functions,
               std::shared_ptr<runtime::Runtime> its_runtime)
      : channel(std::move(its_channel)),
        functions(std::move(its_functions)),
        runtime(std::move(its_runtime)) {
    for (int fd : channel.bells()) platform::GuardFd(fd);
  }
  ~ThreadWorker() {
    for (int fd : channel.bells()) platform::UnguardFd(fd);
  }

  ipc::WorkerChannel channel;
  std::shared_ptr<HostFunctions> functions;
  std::shared_ptr<runtime::Runtime> runtime;
};

Status CheckOptions(const Options& options) {
  bool threads = options.start_method == MPROC_START_THREADS;
  std::string method = threads ? "start method threads" : "start method fork";
  if (!options.command.empty()) {
    return Status(MPROC_ERROR_UNSUPPORTED, method + " runs no command as a worker: spawn does");
  }
  if (threads && (!options.environment.empty() || !options.directory.empty())) {
    return Status(MPROC_ERROR_UNSUPPORTED,
                  method + " has the environment and the directory of the host, and no others");
  }
  if (!options.module.empty()) return Status();
  if (!options.table) {
    return Status(MPROC_ERROR_NOT_SERVED,
                  method +
                      " needs functions: give a table that has them, or a module, or call "
                      "mproc_worker_main");
  }
  for (const auto& function : options.table->functions()) {
    if (function.entry) continue;
    return Status(
        MPROC_ERROR_INVALID_ARGUMENT,
        "function '" + function.name + "' of the table is null, and " + method + " calls what is in it");
  }
  return Status();
}

}  // namespace

Result<std::shared_ptr<HostFunctions>> HostFunctions::Of(const Options& options) {
  if (Status good = CheckOptions(options); !good.ok()) return good;
  if (options.start_method == MPROC_START_FORK && !options.fork_with_threads) {
    if (Status may = platform::CheckNoHostThreads(); !may.ok()) return may;
  }
  std::shared_ptr<HostFunctions> functions(new HostFunctions);
  functions->module_ = options.module;
  functions->call_entry_ = options.call_entry;
  if (options.module.empty()) functions->table_ = *options.table;
  return functions;
}

Result<const task::Table*> HostFunctions::Find() {
  std::lock_guard lock(mutex_);
  if (!module_.empty() && !std::exchange(loaded_, true)) {
    status_ = worker::LoadTable(module_, call_entry_, &table_);
  }
  if (!status_.ok()) return status_;
  return &std::as_const(table_);
}

Result<runtime::ChildBody> MakeHostChild(const Options& options, const Plan& plan,
                                         const std::shared_ptr<runtime::Runtime>& runtime,
                                         const ipc::HostChannel& channel, int leader_bell, int engine_bell) {
  if (options.start_method == MPROC_START_FORK) {
    const std::string& directory = options.directory;
    if (!directory.empty()) {
      if (auto there = platform::OpenDirectory(directory); !there.ok()) return there.status();
    }
    worker::ForkedWorker worker{platform::CurrentPid(), plan.environment, plan.unset, directory};
    return runtime::ChildBody([worker = std::move(worker), functions = plan.functions](int socket) {
      return worker::ForkedMain(worker, socket, [&](const task::Setup&) { return functions->Find(); });
    });
  }
  auto leader = platform::DuplicateFd(leader_bell);
  if (!leader.ok()) return leader.status();
  auto engine = platform::DuplicateFd(engine_bell);
  if (!engine.ok()) return engine.status();
  auto attached = ipc::WorkerChannel::Attach(channel.memory(), std::move(*leader), std::move(*engine));
  if (!attached.ok()) return attached.status();
  auto own = std::make_shared<ThreadWorker>(std::move(*attached), plan.functions, runtime);
  return runtime::ChildBody([own](int socket) {
    return worker::ThreadMain(&own->channel, socket,
                              [&](const task::Setup&) { return own->functions->Find(); });
  });
}

}  // namespace mproc::start
