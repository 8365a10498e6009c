// SPDX-License-Identifier: MIT
#include "connection/wait_many.hh"

#include <string>

#include "platform/poll.hh"

namespace mproc::connection {
namespace {

Status BadDescriptor(size_t index) {
  return Status(MPROC_ERROR_INVALID_ARGUMENT,
                "what is at index " + std::to_string(index) + " is no open descriptor");
}

}  // namespace

Status WaitMany(std::span<Connection* const> connections, std::span<const int32_t> fds,
                const Deadline& deadline, uint8_t* ready, size_t* count) {
  std::vector<platform::Polled> polled;
  polled.reserve(connections.size() + fds.size());
  for (Connection* connection : connections) polled.push_back({connection->fd()});
  for (int32_t fd : fds) {
    if (fd < 0) return BadDescriptor(polled.size());
    polled.push_back({fd});
  }
  for (;;) {
    bool has_message = false;
    for (size_t i = 0; i < connections.size(); i++) {
      if (Status can = connections[i]->CanReceive(); !can.ok())
        return Status(can.code(), "at index " + std::to_string(i) + ": " + can.message());
      has_message |= connections[i]->HasMessage();
    }
    auto slept = platform::PollMany(polled, has_message ? 0 : deadline.Remaining());
    if (!slept.ok())
      return Status(MPROC_ERROR_INVALID_ARGUMENT, slept.status().message(), slept.status().os_code());
    if (*slept == platform::Slept::kInterrupted) return Status(MPROC_ERROR_INTERRUPTED);
    size_t found = 0;
    for (size_t i = 0; i < polled.size(); i++) {
      if (polled[i].bad) return BadDescriptor(i);
      polled[i].ready |= i < connections.size() && connections[i]->HasMessage();
      found += polled[i].ready;
    }
    if (found != 0) {
      for (size_t i = 0; i < polled.size(); i++) ready[i] = polled[i].ready;
      *count = found;
      return Status();
    }
    if (deadline.Passed()) return Status(MPROC_ERROR_TIMED_OUT);  // else another thread took a message
  }
}

}  // namespace mproc::connection
