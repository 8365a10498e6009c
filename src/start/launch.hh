// SPDX-License-Identifier: MIT
// What the start of any child needs: who starts it, what it and its host will talk by, and the request.
#pragma once

#include <memory>

#include "ipc/channel.hh"
#include "runtime/runtime.hh"
#include "start/plan.hh"

namespace mproc::start {

// The runtime that such children need, and who there starts them.
struct Starter {
  std::shared_ptr<runtime::Runtime> runtime;
  runtime::Children* children;
};
Result<Starter> EnterRuntime(const Options& options);

// Both ends of a channel and of its socket.
struct Connection {
  ipc::HostChannel channel;
  platform::GuardedFd memory;     // of the channel, for the child; not needed once the set-up was sent
  platform::GuardedFd socket;     // the host's end
  platform::GuardedFd listener;   // the same, for the child's link
  platform::GuardedFd child_end;  // not needed once the child was asked for
};
Result<Connection> Connect(int32_t polling);

// Asks for a child at the other end of this connection, whose channel has these bells. Borrows its
// descriptors.
Result<runtime::StartRequest> MakeRequest(const Options& options, const Plan& plan,
                                          const std::shared_ptr<runtime::Runtime>& runtime,
                                          const Connection& connection, int leader_bell, int engine_bell);

}  // namespace mproc::start
