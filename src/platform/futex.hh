// SPDX-License-Identifier: MIT
// Sleeping on a 32-bit word, in private or shared memory.
#pragma once

#include <atomic>
#include <cstdint>

namespace mproc::platform {

enum class Slept { kWoken, kTimedOut, kInterrupted };

// Sleeps while *word == expected, at most `nanoseconds` (INT64_MAX: without limit). Not a cancellation point.
Slept FutexWait(std::atomic<uint32_t>* word, uint32_t expected, int64_t nanoseconds, bool shared);
// How many it woke.
int FutexWake(std::atomic<uint32_t>* word, int count, bool shared);

// A short pause of a polling loop.
inline void CpuRelax() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

}  // namespace mproc::platform
