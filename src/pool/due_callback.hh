// SPDX-License-Identifier: MIT
// Something that waits for its turn among the callbacks of a pool: the end of a task, progress, a log record.
#pragma once

namespace mproc::pool {

struct Future;

class DueCallback {
 public:
  DueCallback() = default;
  virtual ~DueCallback() = default;
  DueCallback(const DueCallback&) = delete;
  DueCallback& operator=(const DueCallback&) = delete;
  // Runs it, once for each time that it was queued, where the pool's callbacks run. It may be gone
  // afterwards.
  virtual void Run() = 0;
  // The task or map whose end it is; null if it is something else.
  virtual Future* ended() { return nullptr; }

 private:
  friend class CallbackQueue;
  // The queue's lock guards these.
  DueCallback* next_due_ = nullptr;
  bool waits_ = false;   // in the queue
  bool closed_ = false;  // never again, by PushOnce
};

}  // namespace mproc::pool
