// SPDX-License-Identifier: MIT
// Whose turn it is among the threads of this process to send, or to receive: a mutex whose wait has a limit
// and ends at a signal.
#pragma once

#include <atomic>

#include "base/clock.hh"
#include "base/status.hh"
#include "platform/futex.hh"

namespace mproc::connection {

// Thread-safe.
class Turn {
 public:
  // OK, TIMED_OUT, INTERRUPTED.
  Status Take(const Deadline& deadline) {
    uint32_t seen = kFree;
    if (word_.compare_exchange_strong(seen, kTaken, std::memory_order_acquire)) return Status();
    while (word_.exchange(kAwaited, std::memory_order_acquire) != kFree) {
      int64_t left = deadline.Remaining();
      if (left == 0) return Status(MPROC_ERROR_TIMED_OUT);
      auto slept = platform::FutexWait(&word_, kAwaited, left, false);
      if (slept == platform::Slept::kInterrupted) return Status(MPROC_ERROR_INTERRUPTED);
    }
    return Status();
  }
  void Give() {
    if (word_.exchange(kFree, std::memory_order_release) == kAwaited) platform::FutexWake(&word_, 1, false);
  }

 private:
  static constexpr uint32_t kFree = 0, kTaken = 1, kAwaited = 2;
  std::atomic<uint32_t> word_{kFree};
};

// A turn for the length of a block, if status() is good.
class MyTurn {
 public:
  MyTurn(Turn* turn, const Deadline& deadline) : turn_(turn), status_(turn->Take(deadline)) {}
  MyTurn(const MyTurn&) = delete;
  MyTurn& operator=(const MyTurn&) = delete;
  ~MyTurn() {
    if (status_.ok()) turn_->Give();
  }
  const Status& status() const { return status_; }

 private:
  Turn* const turn_;
  const Status status_;
};

}  // namespace mproc::connection
