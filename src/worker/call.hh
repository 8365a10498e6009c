// SPDX-License-Identifier: MIT
// One running call, as its function sees it: where the value goes, how it fails, what it can ask. Worker's
// main thread, on the runner's stack, during one call of one function.
#pragma once

#include <mproc/call.h>

#include <string>
#include <vector>

#include "base/status.hh"
#include "ipc/channel.hh"
#include "task/error.hh"

namespace mproc::worker {

// What all calls of a worker share.
struct WorkerContext {
  ipc::WorkerChannel* channel = nullptr;
  int socket = -1;
  uint32_t number = 0;
  std::string name;
};

class Call {
 public:
  // Where values go: straight into the channel, behind others in a buffer, or to a place of fixed size.
  enum class Sink { kChannel, kBuffer, kPlace };

  Call(WorkerContext* context, const ipc::TaskFrame& frame, Sink sink)
      : context_(context), frame_(frame), sink_(sink) {}

  // Readies the call for its next item.
  void BeginItem(uint64_t index) {
    index_ = index;
    size_ = 0;
    failed_ = false;
    replied_ = false;
  }
  void SetBuffer(std::vector<std::byte>* buffer) { buffer_ = buffer; }
  void SetPlace(std::byte* place, size_t size) { place_ = place, place_size_ = size; }

  // Memory for a value of `size` bytes; replaces an earlier one of the same item.
  Result<std::byte*> Value(size_t size);
  void Fail(int32_t code, const char* type, const char* message, const char* trace);

  bool failed() const { return failed_; }
  bool replied() const { return replied_; }
  task::TaskError& error() { return error_; }
  size_t value_size() const { return size_; }

  uint64_t task_id() const { return frame_.task_id; }
  uint32_t function() const { return frame_.function; }
  uint64_t index() const { return index_; }
  const WorkerContext& context() const { return *context_; }

 private:
  WorkerContext* context_;
  ipc::TaskFrame frame_;
  Sink sink_;
  uint64_t index_ = 0;
  size_t size_ = 0;
  bool failed_ = false;
  bool replied_ = false;
  task::TaskError error_;
  std::vector<std::byte>* buffer_ = nullptr;  // kBuffer: the item's value is at its end
  std::byte* place_ = nullptr;                // kPlace
  size_t place_size_ = 0;
};

}  // namespace mproc::worker
