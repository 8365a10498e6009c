// SPDX-License-Identifier: MIT
// Children that are made of the host: forks of it, and threads in it. What they serve, and what they do.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "ipc/channel.hh"
#include "runtime/runtime.hh"
#include "start/plan.hh"

namespace mproc::start {

// The functions of such children: of a table in memory, or of a module that is loaded once when the first of
// them in a process asks: in a fork, or in the host for threads. Thread-safe.
class HostFunctions {
 public:
  // Why such children cannot be, or what they serve.
  static Result<std::shared_ptr<HostFunctions>> Of(const Options& options);

  Result<const task::Table*> Find();

 private:
  HostFunctions() = default;

  std::string module_;  // empty: `table_` is given
  worker::CallEntry call_entry_;
  std::mutex mutex_;
  bool loaded_ = false;  // mutex_; of a module
  Status status_;        // mutex_; what came of it
  task::Table table_;    // constant once found
};

// What the next such child does: it serves a channel with these bells. It owns what it uses, but for the
// channel's socket.
Result<runtime::ChildBody> MakeHostChild(const Options& options, const Plan& plan,
                                         const std::shared_ptr<runtime::Runtime>& runtime,
                                         const ipc::HostChannel& channel, int leader_bell, int engine_bell);

}  // namespace mproc::start
