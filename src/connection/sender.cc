// SPDX-License-Identifier: MIT
//
// A message that was begun must be ended, or the peer takes the next one for its rest. So when the limit
// passes in the middle of one, this direction of the connection is at its end: it is shut down, the peer
// finds a message that is cut off, and what is sent later is refused. Before the first byte nothing has
// happened.
#include "connection/sender.hh"

#include "connection/await.hh"
#include "connection/frame.hh"
#include "platform/socket.hh"
#include "platform/stream.hh"

namespace mproc::connection {
namespace {

// Takes what was sent off the parts.
void Advance(std::span<ByteView> parts, size_t sent) {
  for (ByteView& part : parts) {
    size_t of_this = sent < part.size() ? sent : part.size();
    part = part.subspan(of_this);
    sent -= of_this;
  }
}

}  // namespace

Status Sender::Send(ByteView before, ByteView data, std::span<const int> fds, const Deadline& deadline) {
  MyTurn mine(&turn_, deadline);
  if (!mine.status().ok()) return mine.status();
  if (given_up_)
    return Status(MPROC_ERROR_BROKEN_PIPE,
                  "the limit of an earlier call passed in the middle of its message");
  FrameHeader header = MakeHeader(before.size() + data.size());
  ByteView parts[] = {header.view(), before, data};
  size_t left = header.size + before.size() + data.size();
  bool begun = false;
  for (;;) {
    platform::Moved moved = platform::SendSome(socket_, parts, begun ? std::span<const int>() : fds);
    switch (moved.how) {
      case platform::Moved::kSome:
        begun = true;
        left -= moved.size;
        if (left == 0) return Status();
        Advance(parts, moved.size);
        if (!deadline.immediate() && deadline.Passed()) return GiveUp();
        break;
      case platform::Moved::kEnd:
        return Status(MPROC_ERROR_BROKEN_PIPE);
      case platform::Moved::kFailed:
        if (begun) (void)GiveUp();
        return Status::System("sending over a connection", moved.os_code);
      case platform::Moved::kNotYet: {
        Status ready = Await(socket_, platform::Ready::kWrite, deadline);
        if (ready.ok() || (begun && ready.code() == MPROC_ERROR_INTERRUPTED)) break;
        return begun ? GiveUp() : ready;
      }
    }
  }
}

Status Sender::GiveUp() {
  given_up_ = true;
  platform::EndSending(socket_);
  return Status(
      MPROC_ERROR_TIMED_OUT,
      "the limit passed in the middle of the message; nothing more can be sent over the connection");
}

}  // namespace mproc::connection
