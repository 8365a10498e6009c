// SPDX-License-Identifier: MIT
// Waiting for many connections and other descriptors at once.
#pragma once

#include <span>

#include "base/clock.hh"
#include "connection/connection.hh"

namespace mproc::connection {

// Marks in `ready` which of the connections, and then of the descriptors, have something to receive or have
// ended; `ready` has room for all. OK with *count of them; TIMED_OUT, INTERRUPTED; INVALID_ARGUMENT (no open
// descriptor) and what Connection::CanReceive says, with the index in the message.
Status WaitMany(std::span<Connection* const> connections, std::span<const int32_t> fds,
                const Deadline& deadline, uint8_t* ready, size_t* count);

}  // namespace mproc::connection
