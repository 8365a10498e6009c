// SPDX-License-Identifier: MIT
// How one who waits for an object sleeps.
//
// Whoever changes a word wakes those who sleep on it: two steps, and a process can be killed between them. So
// nobody sleeps longer than a slice without another look, and a wake-up that was lost that way costs others a
// slice at most, never the wait.
#pragma once

#include <algorithm>
#include <atomic>

#include "base/clock.hh"
#include "platform/futex.hh"

namespace mproc::sync {

inline constexpr int64_t kSlice = 50'000'000;

enum class Wait { kDone, kTimedOut, kInterrupted };

enum class Woke { kLook, kSliceEnded, kTimedOut, kInterrupted };

// Sleeps while *word is `seen`. kLook: there may be news. kSliceEnded: probably not, but look after who died.
inline Woke SleepOn(std::atomic<uint32_t>* word, uint32_t seen, const Deadline& deadline) {
  int64_t left = deadline.Remaining();
  if (left <= 0) return Woke::kTimedOut;
  switch (platform::FutexWait(word, seen, std::min(left, kSlice), true)) {
    case platform::Slept::kInterrupted:
      return Woke::kInterrupted;
    case platform::Slept::kTimedOut:
      return left <= kSlice ? Woke::kTimedOut : Woke::kSliceEnded;
    default:
      return Woke::kLook;
  }
}

inline Wait Gave(Woke woke) { return woke == Woke::kTimedOut ? Wait::kTimedOut : Wait::kInterrupted; }

}  // namespace mproc::sync
