// SPDX-License-Identifier: MIT
// Which thread of the system this is, and whether another one is still there. Any thread.
#pragma once

#include <atomic>
#include <cstdint>

#include "platform/fork_mark.hh"

namespace mproc::platform {

// A thread as every process of the system sees it. `start` tells two apart that had the same number one after
// the other: the time of its beginning as the kernel counts it, or 0 if that is not known.
struct ThreadIdentity {
  uint32_t tid = 0;
  uint32_t pid = 0;
  uint32_t start = 0;
};

namespace internal {
struct KnownThread {
  ThreadIdentity identity;
  uint32_t epoch = 0;  // of the process it was asked in
};
extern thread_local constinit KnownThread g_thread;
const ThreadIdentity& AskForThread();
}  // namespace internal

// Of the calling thread; asks the system once in each thread of each process.
inline const ThreadIdentity& CurrentThread() {
  if (internal::g_thread.epoch == ForkEpoch()) return internal::g_thread.identity;
  return internal::AskForThread();
}

// True if no such thread is left: it has ended, even if nobody has waited for its process. With a `start`, a
// later thread of the same number does not count.
bool ThreadHasEnded(uint32_t tid, uint32_t start);

}  // namespace mproc::platform
