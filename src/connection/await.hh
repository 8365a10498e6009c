// SPDX-License-Identifier: MIT
// Waiting for a socket, up to a deadline.
#pragma once

#include "base/clock.hh"
#include "base/status.hh"
#include "platform/poll.hh"

namespace mproc::connection {

// OK, TIMED_OUT, INTERRUPTED.
inline Status Await(int socket, platform::Ready ready, const Deadline& deadline) {
  switch (platform::PollFd(socket, ready, deadline.Remaining())) {
    case platform::Slept::kInterrupted:
      return Status(MPROC_ERROR_INTERRUPTED);
    case platform::Slept::kTimedOut:
      return Status(MPROC_ERROR_TIMED_OUT);
    default:
      return Status();
  }
}

}  // namespace mproc::connection
