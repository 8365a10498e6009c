// SPDX-License-Identifier: MIT
// A thread of the library: it takes no signal, has a name and a stack of known size. Not thread-safe.
#pragma once

#include <pthread.h>

#include <cstdint>
#include <functional>
#include <memory>

#include "base/status.hh"

namespace mproc::platform {

// Blocks every signal in the calling thread, those of the C library itself included, while it lives.
class AllSignalsBlocked {
 public:
  AllSignalsBlocked();
  ~AllSignalsBlocked();
  AllSignalsBlocked(const AllSignalsBlocked&) = delete;
  AllSignalsBlocked& operator=(const AllSignalsBlocked&) = delete;

 private:
  uint64_t old_mask_ = 0;
};

// How many threads of ours this process has, those aside that run code of the host only. One that has just
// ended is not among them, though the system may show it for another moment.
int CountOwnThreads();

class Thread {
 public:
  Thread() = default;
  Thread(const Thread&) = delete;
  Thread& operator=(const Thread&) = delete;

  // What a thread is for. One that does nothing but tasks of the host counts as the host's.
  enum class Runs { kOurs, kHostCode };
  // Runs `body` on a new thread. `name` has at most 15 characters.
  Status Start(const char* name, size_t stack_size, std::function<void()> body, Runs runs = Runs::kOurs);
  bool started() const { return started_; }
  bool IsCurrent() const { return started_ && pthread_equal(pthread_self(), thread_); }
  void Join();
  // Lets the thread end unwatched; the object is free again.
  void Detach();

 private:
  struct Beginning;

  std::shared_ptr<Beginning> beginning_;
  pthread_t thread_{};
  bool started_ = false;
};

}  // namespace mproc::platform
