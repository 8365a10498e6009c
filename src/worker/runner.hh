// SPDX-License-Identifier: MIT
// Runs one claimed task: finds input and function, calls it for the one input or for each item of a chunk,
// and publishes the outcome. Worker's main thread.
#pragma once

#include <unordered_set>
#include <vector>

#include "ipc/blocks.hh"
#include "task/kind.hh"
#include "task/table.hh"
#include "worker/call.hh"

namespace mproc::worker {

class Runner {
 public:
  Runner(WorkerContext* context, const task::Table* table) : context_(context), table_(table) {}

  // Runs the task and publishes its result. `started` is when its time began to count; returns its end.
  int64_t Run(const ipc::TaskView& view, int64_t started);

  // Runs a function outside of any task (the initializer). False, with the error, if it fails.
  bool RunAlone(uint32_t function, ByteView input, task::TaskError* error);

 private:
  struct Ended {
    uint32_t status;
    size_t size;
  };
  bool FindInput(const ipc::TaskView& view, ByteView* input, task::TaskError* error);
  const task::Function* FindFunction(uint32_t id, task::TaskError* error);
  // Calls the function behind a wall; true if it succeeded, else call.error() tells why.
  bool CallFunction(const task::Function& function, Call* call, ByteView input);
  Ended RunSingle(const ipc::TaskView& view, const task::Function& function, ByteView input);
  Ended RunItems(const ipc::TaskView& view, const task::Function& function, ByteView input);
  Ended RunArray(const ipc::TaskView& view, const task::Function& function, ByteView input);
  Ended PutBytes(task::Answer answer, ByteView bytes);
  Ended PutError(const task::TaskError& error);

  WorkerContext* context_;
  const task::Table* table_;
  ipc::BlockReader blocks_{false};
  std::vector<std::byte> buffer_;
};

}  // namespace mproc::worker
