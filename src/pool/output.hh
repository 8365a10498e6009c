// SPDX-License-Identifier: MIT
// What workers write to their standard output and error, on its way to the output callback of the pool.
//
// Each worker has two pipes, whose ends for writing it gets with its set-up. They are read by the engine when
// something comes, and by the drainer when a task of the worker ends: a worker flushes its streams before it
// answers, so what the task wrote is there by then, and is queued before the task's end. What waits in the
// callback queue is bounded; a worker is never held up by a slow callback: the rest is dropped, and counted.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <string>

#include "loop/poll.hh"
#include "platform/fork_guard.hh"
#include "pool/options.hh"
#include "runtime/runtime.hh"

namespace mproc::pool {

class Pool;
class WorkerSlot;
struct Future;

// The pool's side. Any thread, unless said.
class OutputDelivery {
 public:
  // Before the pool is shared.
  void Open(Pool* pool, const OutputOptions& options) { pool_ = pool, options_ = options; }
  bool wanted() const { return options_.callback != nullptr; }
  // A task of the worker is about to end: what it wrote comes before. Drain lock.
  void BeforeEnd(WorkerSlot* worker, Future* task);
  // A piece of what a worker wrote.
  void Queue(int32_t stream, uint32_t worker, std::string text);

 private:
  friend class OutputDue;
  bool TryQueue(int32_t stream, uint32_t worker, std::string text);

  Pool* pool_ = nullptr;              // constant
  OutputOptions options_;             // constant
  std::atomic<size_t> waiting_{0};    // bytes in the callback queue
  std::atomic<uint64_t> dropped_{0};  // bytes, not yet told
};

// One worker's side. Thread-safe.
class WorkerOutput : public std::enable_shared_from_this<WorkerOutput> {
 public:
  WorkerOutput(OutputDelivery& delivery, std::shared_ptr<runtime::Runtime> runtime, uint32_t worker)
      : delivery_(delivery), runtime_(std::move(runtime)), worker_(worker) {}

  // Makes the pipes.
  Status Make();
  // The end of a pipe that is for the worker, until Open.
  int end_of(int32_t stream) const { return At(stream).write_end.get(); }
  // The worker has been sent its ends. `keep` lives until Close.
  void Open(std::shared_ptr<void> keep);
  // Queues all that was written, also what is no whole line yet. True if anything came since the last time.
  bool Take();
  // The same, and nothing comes any more.
  void Close();

 private:
  struct Stream {
    platform::GuardedFd write_end;
    platform::GuardedFd read_end;
    loop::Poll poll;   // engine thread only
    std::string text;  // not queued yet
    bool ended = false;
  };

  Stream& At(int32_t stream) { return streams_[static_cast<size_t>(stream - MPROC_OUTPUT_STANDARD)]; }
  const Stream& At(int32_t stream) const {
    return streams_[static_cast<size_t>(stream - MPROC_OUTPUT_STANDARD)];
  }
  void Watch(int32_t stream);             // engine thread
  void Read(int32_t stream, bool whole);  // mutex_ held

  OutputDelivery& delivery_;
  const std::shared_ptr<runtime::Runtime> runtime_;
  const uint32_t worker_;
  std::shared_ptr<void> keep_;  // engine thread
  std::mutex mutex_;            // guards all below, but for the polls
  std::array<Stream, 2> streams_;
  bool any_ = false;  // was queued since the last Take
  bool closed_ = false;
};

}  // namespace mproc::pool
