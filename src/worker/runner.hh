// SPDX-License-Identifier: MIT
// Runs one claimed task: finds input and function, calls it for the one input or for each item of a chunk,
// and publishes the outcome. Worker's main thread.
#pragma once

#include "base/forced_unwind.hh"
#include "ipc/blocks.hh"
#include "task/kind.hh"
#include "task/table.hh"
#include "worker/bound_functions.hh"
#include "worker/call.hh"

namespace mproc::worker {

class Runner {
 public:
  Runner(WorkerContext* context, const task::Table* table) : context_(context), table_(table) {}

  // Runs the task and publishes its result. `started` is when its time began to count; returns its end.
  int64_t Run(const ipc::TaskView& view, int64_t started);

  // Takes in what the host said about blocks.
  void Hear();

  // Runs a function outside of any task (initializer, finalizer), and takes its value if that is wanted.
  // False, with the error, if it fails.
  bool RunAlone(uint32_t function, ByteView input, std::vector<std::byte>* value, task::TaskError* error);

 private:
  struct Ended {
    uint32_t status;
    size_t size;
  };
  // Takes a message in that is about blocks.
  Status Heed(const ipc::MessageHead& head, platform::Message* message);
  bool FindInput(const ipc::TaskView& view, ByteView* input, task::TaskError* error);
  // Of a bound function: that of the table, with its bytes in the context.
  const task::Function* FindFunction(uint32_t id, task::TaskError* error) {
    if (task::IsBound(id)) return FindBound(id, error);
    const task::Function* function = table_->Find(id);
    return function && function->entry ? function : NoFunction(id, error);
  }
  const task::Function* FindBound(uint32_t id, task::TaskError* error);
  static const task::Function* NoFunction(uint32_t id, task::TaskError* error);
  // Calls the function behind a wall; true if it succeeded, else call.error() tells why.
  MPROC_HANDLES_FORCED_UNWIND bool CallFunction(const task::Function& function, Call* call, ByteView input) {
    static constexpr std::byte kNothing{};
    const void* data = input.data() ? input.data() : &kNothing;
    int32_t code;
    try {
      code = function.entry(reinterpret_cast<mproc_call_t*>(call), data, input.size(), function.user_data);
    } catch (abi::__forced_unwind&) {
      throw;
    } catch (...) {
      FailByException(call);
      return false;
    }
    return (code == 0 && !call->failed()) || Failed(function, call, code);
  }
  // For the exception that is being handled.
  static void FailByException(Call* call);
  // Says in the call's error what is known of the failure. False.
  static bool Failed(const task::Function& function, Call* call, int32_t code);
  Ended RunSingle(const ipc::TaskView& view, const task::Function& function, ByteView input);
  Ended RunItems(const ipc::TaskView& view, const task::Function& function, ByteView input);
  Ended RunArray(const ipc::TaskView& view, const task::Function& function, ByteView input);
  Ended PutBytes(task::Answer answer, ByteView bytes);
  Ended PutItems();
  // No memory for the result: an error that fits into the slot.
  Ended PutNoRoom(const Status& why);
  Ended PutError(const task::TaskError& error);

  WorkerContext* context_;
  const task::Table* table_;
  ipc::BlockReader blocks_{false};
  BoundFunctions bounds_;
  task::ItemResultsWriter items_;
};

}  // namespace mproc::worker
