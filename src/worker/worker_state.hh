// SPDX-License-Identifier: MIT
// What this process, or this thread of the host, is as a worker: whether it is one, how it was started, and
// whether that is over. Any thread.
//
// A worker that is still being started must not make pools: with the same module, or the same initializer,
// each of their workers would make a pool of its own, and so on. A module may be linked with a libmproc that
// is not the one in mproc-worker, and a command may come to serve or not: so both are told by a mark in the
// environment, too, which holds for the process that it names.
#pragma once

#include <cstdint>

namespace mproc::worker {

// True in a process that serves.
bool IsWorker();
// MPROC_START_; none in a process, or on a thread, that is no worker.
int32_t StartedBy();
// True until a worker has said hello.
bool IsStarting();

// Marks this process as one that is being started.
void MarkStarting();
void UnmarkStarting();

// Says what this thread is while it lives, and with it this process, unless that is the host.
class WorkerState {
 public:
  WorkerState(int32_t method, bool owns_process);
  ~WorkerState();
  WorkerState(const WorkerState&) = delete;
  WorkerState& operator=(const WorkerState&) = delete;

  void Started();

 private:
  const bool owns_process_;
};

}  // namespace mproc::worker
