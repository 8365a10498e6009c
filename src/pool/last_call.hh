// SPDX-License-Identifier: MIT
// What the finalizers of workers gave, on its way to the finalizer callback: it comes over the socket of a
// worker that was told to finish, once, and waits there until the worker has ended.
#pragma once

#include <atomic>

#include "ipc/message.hh"
#include "pool/worker_options.hh"

namespace mproc::pool {

class Pool;
class WorkerSlot;

// That of one worker. Guarded by the slot's socket_mutex, unless said.
class LastCall {
 public:
  // It is about to be told to finish. Any thread.
  void Await() { awaited_.store(true, std::memory_order_seq_cst); }
  bool awaited() const { return awaited_.load(std::memory_order_relaxed); }  // any thread
  static bool IsPart(const ipc::MessageHead& head);
  // Takes in what it says; false at nonsense: if nothing is awaited, there was one already, or it is too
  // long.
  bool Take(const ipc::MessageHead& head, ByteView part);
  bool complete() const { return body_.complete(); }
  bool failed() const { return failed_; }
  // The value; of one that failed the message.
  ByteView bytes() const { return body_.bytes(); }
  void Clear();

 private:
  std::atomic<bool> awaited_{false};
  bool failed_ = false;
  ipc::LongBody body_{ipc::kLargestLastCall};
};

class LastCalls {
 public:
  // Before the pool is shared.
  void Open(Pool* pool, const LastCallOptions& options) { pool_ = pool, options_ = options; }
  bool wanted() const { return options_.callback != nullptr; }  // any thread
  // Queues what a worker said that has ended, if it did. Drain lock.
  void Tell(WorkerSlot* worker);

 private:
  Pool* pool_ = nullptr;     // constant
  LastCallOptions options_;  // constant
};

}  // namespace mproc::pool
