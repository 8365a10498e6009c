// SPDX-License-Identifier: MIT
// Sleeping until descriptors are ready. None of it is a cancellation point.
#pragma once

#include <span>

#include "base/status.hh"
#include "platform/futex.hh"

namespace mproc::platform {

enum class Ready { kRead, kWrite };
// Sleeps until the descriptor is ready for that or has ended, `nanoseconds` at most (INT64_MAX: without
// limit).
Slept PollFd(int fd, Ready ready, int64_t nanoseconds);
inline Slept PollReadable(int fd, int64_t nanoseconds) { return PollFd(fd, Ready::kRead, nanoseconds); }

struct Polled {
  int fd;
  bool ready = false;
  bool bad = false;  // no open descriptor
};
// Sleeps until one of them is readable, has ended or is bad, and marks all that are so. SYSTEM: more than the
// system takes.
Result<Slept> PollMany(std::span<Polled> polled, int64_t nanoseconds);

}  // namespace mproc::platform
