// SPDX-License-Identifier: MIT
// One running call, as its function sees it: where the value goes, how it fails, what it can ask. Worker's
// main thread, on the runner's stack, during one call of one function.
#pragma once

#include <mproc/call.h>

#include <cstring>
#include <span>
#include <string>

#include "base/clock.hh"
#include "base/status.hh"
#include "ipc/channel.hh"
#include "task/error.hh"
#include "task/item_results.hh"
#include "worker/bound_object.hh"

namespace mproc::worker {

// The task that runs, as the host knows it.
struct RunningTask {
  uint64_t position = UINT64_MAX;  // in the channel; none: an initializer
  int64_t started = 0;
  int64_t limit = 0;  // from its start; 0: none
};

// What all calls of a worker share.
struct WorkerContext {
  ipc::WorkerChannel* channel = nullptr;
  int socket = -1;
  uint32_t number = 0;
  std::string name;
  bool owns_process = true;             // it is no thread of the host
  const int64_t* idle_slice = nullptr;  // how long to sleep at once, where it is not the usual time
  RunningTask running;
  ByteView bound;                  // to the function that runs; no address: nothing is
  std::span<BoundObject> objects;  // that go with these bytes
  bool has_output = false;         // what it prints is the host's before the end of its task
  bool host_lags = false;          // it did not take log records the last time
  void* state = nullptr;           // the functions' own

  // Nanoseconds until the running task should stop; MPROC_FOREVER without a limit.
  int64_t TimeLeft() const {
    return running.limit ? running.started + running.limit - NowNs() : MPROC_FOREVER;
  }
  bool ShouldStop() const { return channel->cancelled(running.position) || TimeLeft() <= 0; }
};

class Call {
 public:
  // Where values go: straight into the channel, behind those of earlier items, or to a place of fixed size.
  enum class Sink { kChannel, kItems, kPlace };

  // `function` is the id in the table, that of the frame may stand for a bound one.
  Call(WorkerContext* context, const ipc::TaskFrame& frame, uint32_t function, Sink sink)
      : context_(context),
        item_(context->channel->flight().item()),
        task_id_(frame.task_id),
        function_(function),
        sink_(sink) {}

  // A value of `least` to `most` bytes goes to the place of its item.
  void SetRoom(size_t least, size_t most) { least_ = least, most_ = most; }
  // Readies the call for its next item, and names the place of its value.
  void BeginItem(uint64_t index, std::byte* place) {
    item_.store(index, std::memory_order_relaxed);
    place_ = place;
    failed_ = false;
    replied_ = false;
  }
  void SetItems(task::ItemResultsWriter* items) { items_ = items; }

  // Memory for a value of `size` bytes; replaces an earlier one of the same item.
  Result<std::byte*> Value(size_t size);
  // The same for what most functions do: a first value, which fits into its place. False if it is not so.
  bool ReplyInPlace(const void* data, size_t size) {
    if (replied_ || size < least_ || size > most_) return false;
    if (size == sizeof(uint64_t)) {
      std::memcpy(place_, data, sizeof(uint64_t));
    } else if (size) {
      std::memcpy(place_, data, size);
    }
    size_ = size;
    return replied_ = true;
  }
  void Fail(int32_t code, const char* type, const char* message, const char* trace);

  // The payload lies in a block that may be written, and that the value may lie in.
  void SetBlock(std::span<std::byte> block) { block_ = block; }
  std::span<std::byte> block() const { return block_; }
  void ReplyInBlock(uint64_t offset, size_t size) {
    in_block_ = true;
    offset_ = offset;
    size_ = size;
    replied_ = true;
  }
  bool in_block() const { return in_block_; }
  uint64_t offset() const { return offset_; }

  void TellProgress(uint64_t done, uint64_t total) const {
    context_->channel->flight().Progress(context_->running.position, done, total);
  }

  Status Log(int32_t level, std::string_view text) const;

  bool failed() const { return failed_; }
  bool replied() const { return replied_; }
  task::TaskError& error() { return error_; }
  size_t value_size() const { return replied_ ? size_ : 0; }

  uint64_t task_id() const { return task_id_; }
  uint32_t function() const { return function_; }
  uint64_t index() const { return item_.load(std::memory_order_relaxed); }
  const WorkerContext& context() const { return *context_; }
  void SetState(void* state) { context_->state = state; }

 private:
  WorkerContext* context_;
  std::atomic<uint64_t>& item_;  // index of the item that runs, where the host can see it
  uint64_t task_id_;
  uint32_t function_;
  Sink sink_;
  size_t size_ = 0;
  bool failed_ = false;
  bool replied_ = false;
  task::TaskError error_;
  task::ItemResultsWriter* items_ = nullptr;  // kItems
  std::byte* place_ = nullptr;
  size_t least_ = 0, most_ = 0;
  std::span<std::byte> block_;
  bool in_block_ = false;  // the value is there, at offset_
  uint64_t offset_ = 0;
};

}  // namespace mproc::worker
