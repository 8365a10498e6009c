// SPDX-License-Identifier: MIT
// Workers that are made of the host: forks of it, and threads in it. What they serve, and what they do.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "pool/core.hh"
#include "pool/worker_start.hh"

namespace mproc::pool {

// The functions of such workers: of a table in memory, or of a module that is loaded once when the first of
// them in a process asks: in a fork, or in the host for threads. Thread-safe.
class HostFunctions {
 public:
  // Why such workers cannot be, or what they serve.
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

// Gives the pool the runtime that its options need, who there starts its workers, and its bells.
Status EnterRuntime(Core* core);

// What the next such worker does. It owns what it uses, but for the channel's socket.
Result<runtime::ChildBody> MakeHostWorker(const Core& core, const WorkerPlan& plan,
                                          const ipc::HostChannel& channel);

}  // namespace mproc::pool
