// SPDX-License-Identifier: MIT
// The process that started this one, to wait for: Self().parent. Any thread.
#pragma once

#include "base/clock.hh"
#include "base/status.hh"

namespace mproc::worker {

// All: END: no process of this library started this one.
// A descriptor that is readable once it has ended; it stays ours. UNSUPPORTED: the system has none, or
// this one is a thread. DESCRIPTOR_LIMIT, OUT_OF_MEMORY.
Result<int> ParentSentinel();
// TIMED_OUT: it goes on; INTERRUPTED.
Status JoinParent(const Deadline& deadline);

}  // namespace mproc::worker
