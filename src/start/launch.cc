// SPDX-License-Identifier: MIT
#include "start/launch.hh"

#include "start/host_child.hh"

namespace mproc::start {

Result<Starter> EnterRuntime(const Options& options) {
  auto runtime = options.of_host() ? runtime::Runtime::AcquireEngine()
                                   : runtime::Runtime::Acquire(options.worker_program);
  if (!runtime.ok()) return runtime.status();
  Starter starter{std::move(*runtime), nullptr};
  switch (options.start_method) {
    case MPROC_START_FORK:
      starter.children = &starter.runtime->forked();
      break;
    case MPROC_START_THREADS:
      starter.children = &starter.runtime->threads();
      break;
    default:
      starter.children = &starter.runtime->launcher();
  }
  return starter;
}

Result<Connection> Connect(int32_t polling) {
  Connection connection;
  {
    platform::NoForks no_forks;
    auto channel = ipc::HostChannel::Create(static_cast<uint32_t>(polling));
    if (!channel.ok()) return channel.status();
    connection.channel = std::move(*channel);
    connection.memory = platform::GuardedFd(connection.channel.GiveMemoryFd());
  }
  auto ends = platform::MakeGuardedSocketPair();
  if (!ends.ok()) return ends.status();
  connection.socket = std::move(ends->first);
  connection.child_end = std::move(ends->second);
  auto listener = platform::DuplicateGuarded(connection.socket.get());
  if (!listener.ok()) return listener.status();
  connection.listener = std::move(*listener);
  return connection;
}

Result<runtime::StartRequest> MakeRequest(const Options& options, const Plan& plan,
                                          const std::shared_ptr<runtime::Runtime>& runtime,
                                          const Connection& connection, int leader_bell, int engine_bell) {
  runtime::StartRequest request;
  request.channel_fd = connection.child_end.get();
  request.program = plan.program;
  request.arguments = plan.arguments;
  request.extra_environment = plan.environment;
  request.unset_environment = plan.unset;
  request.directory = options.directory;
  request.fork = plan.fork;
  if (!plan.functions) return request;
  auto body = MakeHostChild(options, plan, runtime, connection.channel, leader_bell, engine_bell);
  if (!body.ok()) return body.status();
  request.body = std::move(*body);
  request.among_threads = options.fork_with_threads;
  return request;
}

}  // namespace mproc::start
