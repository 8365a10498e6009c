// SPDX-License-Identifier: MIT
// Where those sleep who wait for news of a queue, and how they are woken. One word: a bit that says that
// somebody may be asleep, one that says that it was armed since the last ring, and a number that changes with
// each ring.
//
// Who waits arms the bell while it has the queue's lock and sees that there is nothing; who brings something
// does so under the lock, and rings. So either the one that waits sees the news, or the ring finds the bit.
// A ring that woke nobody takes the bit away, unless somebody has armed the bell meanwhile.
// A ring that a kill prevents costs those who sleep a slice (sync/sleep.hh).
#pragma once

#include "base/step.hh"
#include "sync/sleep.hh"

namespace mproc::queue {

class Bell {
 public:
  // What to sleep on. Under the lock.
  uint32_t Arm() { return word_.fetch_or(kSleepers | kArmed) | kSleepers | kArmed; }
  sync::Woke Sleep(uint32_t armed, const Deadline& deadline) {
    return sync::SleepOn(&word_, armed, deadline);
  }

  // Wakes so many, if somebody may be asleep.
  void Ring(int count) {
    uint32_t seen = word_.load(), rung;
    do {
      if (!(seen & kSleepers)) return;
      rung = (seen & ~kArmed) + kOneRing;
    } while (!word_.compare_exchange_weak(seen, rung));
    MPROC_STEP();
    bool woken = platform::FutexWake(&word_, count, true) != 0;
    MPROC_STEP();
    if (!woken) word_.compare_exchange_strong(rung, rung & ~kSleepers);
  }

 private:
  static constexpr uint32_t kSleepers = 1, kArmed = 2, kOneRing = 4;
  std::atomic<uint32_t> word_;
};

}  // namespace mproc::queue
