// SPDX-License-Identifier: MIT
// Where those sleep who wait for news of a queue, and how they are woken. One word: a bit that says that
// somebody may be asleep, and a number that changes with each ring.
//
// Who waits arms the bell while it has the queue's lock and sees that there is nothing; who brings something
// does so under the lock, and rings. So either the one that waits sees the news, or the ring finds the bit.
// A ring that a kill prevents costs those who sleep a slice (sync/sleep.hh).
#pragma once

#include "base/step.hh"
#include "sync/sleep.hh"

namespace mproc::queue {

class Bell {
 public:
  // What to sleep on. Under the lock.
  uint32_t Arm() {
    uint32_t seen = word_.load(std::memory_order_relaxed);
    while (!(seen & kSleepers) && !word_.compare_exchange_weak(seen, seen | kSleepers)) {
    }
    return seen | kSleepers;
  }
  sync::Woke Sleep(uint32_t armed, const Deadline& deadline) {
    return sync::SleepOn(&word_, armed, deadline);
  }

  // Wakes so many, if somebody may be asleep.
  void Ring(int count) {
    uint32_t seen = word_.load();
    if (!(seen & kSleepers)) return;
    uint32_t rung = word_.fetch_add(2) + 2;
    MPROC_STEP();
    if (platform::FutexWake(&word_, count, true) == 0) word_.compare_exchange_strong(rung, rung & ~kSleepers);
  }

 private:
  static constexpr uint32_t kSleepers = 1;
  std::atomic<uint32_t> word_;
};

}  // namespace mproc::queue
