// SPDX-License-Identifier: MIT
// Tells a process from the children that it forks, without asking the system each time. Any thread.
//
// A word lies in a page that the kernel empties in a forked child (MADV_WIPEONFORK). Reading it is one load.
// Each process in a line of forks has an epoch of its own: an object that remembers the epoch in which it
// was made knows whether it belongs here. Where the kernel cannot empty pages, a pthread_atfork handler sets
// the word; then only children of the raw system call go unnoticed.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/status.hh"

namespace mproc::platform {

namespace internal {
#if defined(__x86_64__) || defined(__i386__)
inline constexpr size_t kMarkPage = 4096;
#else
inline constexpr size_t kMarkPage = 65536;
#endif
struct alignas(kMarkPage) MarkPage {
  std::atomic<uint32_t> epoch;
};
extern MarkPage g_mark;
uint32_t RenewEpoch();
}  // namespace internal

// The number of this process: the same on every call, another one in each forked child. Never 0.
inline uint32_t ForkEpoch() {
  uint32_t epoch = internal::g_mark.epoch.load(std::memory_order_relaxed);
  return epoch != 0 ? epoch : internal::RenewEpoch();
}

// Whether forks are watched, which begins when the library is loaded.
Status CheckForkWatch();

// True if the kernel does the marking, false if the fallback serves.
bool KernelMarksForks();

// Lets `action` run in every forked child, before fork() returns there. It may only do what is
// async-signal-safe. At most eight actions; false if there is no room.
bool OnForkInChild(void (*action)());

}  // namespace mproc::platform
