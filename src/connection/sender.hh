// SPDX-License-Identifier: MIT
// The side of a connection that sends.
#pragma once

#include <span>

#include "base/bytes.hh"
#include "base/clock.hh"
#include "connection/turn.hh"

namespace mproc::connection {

// Thread-safe. The socket is somebody else's.
class Sender {
 public:
  explicit Sender(int socket) : socket_(socket) {}

  // Sends one message, which is `before` and then `data`, with descriptors.
  Status Send(ByteView before, ByteView data, std::span<const int> fds, const Deadline& deadline);

 private:
  Status GiveUp();

  const int socket_;
  Turn turn_;
  bool given_up_ = false;  // turn_; a message was left half sent
};

}  // namespace mproc::connection
