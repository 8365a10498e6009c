// SPDX-License-Identifier: MIT
// Locks that are free in a forked child, whatever other threads of the parent were doing. Any thread.
#pragma once

#include <atomic>
#include <mutex>

namespace mproc::platform {

// A mutex that every fork of this process holds while it happens. For leaf locks of objects that live as long
// as the process. Usable before any constructor ran, and never destroyed, so that such an object can be a
// global one: a static variable inside a function is made under a lock that no fork waits for.
class ForkMutex {
 public:
  constexpr ForkMutex() = default;
  ForkMutex(const ForkMutex&) = delete;
  ForkMutex& operator=(const ForkMutex&) = delete;

  void lock() {
    if (!known_.load(std::memory_order_acquire)) MakeKnown();
    mutex_.lock();
  }
  void unlock() { mutex_.unlock(); }

 private:
  friend struct ForkMutexes;
  void MakeKnown();

  std::mutex mutex_;
  std::atomic<bool> known_{false};
  ForkMutex* next_ = nullptr;  // guarded by the lock of the list
};

}  // namespace mproc::platform
