// SPDX-License-Identifier: MIT
//
// A pipe in one direction is a pair of stream sockets, too, of which one direction is shut down: writing to a
// pipe raises SIGPIPE when nobody reads, and a call that does not wait would need O_NONBLOCK, which the
// processes that share the end would all feel. Which direction it is must be known wherever the end is passed
// to, also when its peer is gone; so the socket itself is marked.
#include "connection/connection.hh"

#include <cstring>

#include "connection/await.hh"
#include "connection/object_frame.hh"
#include "platform/socket.hh"

namespace mproc::connection {

Result<Connection::Pair> Connection::MakePipe(bool duplex) {
  if (Status guarded = platform::StartForkGuard(); !guarded.ok()) return guarded;
  auto ends = platform::MakeGuardedStreamPair();
  if (!ends.ok()) return ends.status();
  Use first = Use::kBoth, second = Use::kBoth;
  if (!duplex) {
    first = Use::kReceive;
    second = Use::kSend;
    platform::EndSending(ends->first.get());
    for (auto [fd, use] : {std::pair(ends->first.get(), first), std::pair(ends->second.get(), second)}) {
      if (Status marked = platform::MarkStream(fd, static_cast<int>(use)); !marked.ok()) return marked;
    }
  }
  return Pair(std::shared_ptr<Connection>(new Connection(std::move(ends->first), first)),
              std::shared_ptr<Connection>(new Connection(std::move(ends->second), second)));
}

Result<std::shared_ptr<Connection>> Connection::Adopt(platform::GuardedFd socket) {
  if (Status guarded = platform::StartForkGuard(); !guarded.ok()) return guarded;
  int fd = socket.get();
  if (!platform::IsStream(fd)) return Status(MPROC_ERROR_PROTOCOL, "this is no connected stream socket");
  int mark = platform::MarkOfStream(fd);
  Use use = mark == static_cast<int>(Use::kReceive) ? Use::kReceive
            : mark == static_cast<int>(Use::kSend)  ? Use::kSend
                                                    : Use::kBoth;
  return std::shared_ptr<Connection>(new Connection(std::move(socket), use));
}

Result<std::shared_ptr<Connection>> Connection::AdoptDuplicate(int fd) {
  auto copy = platform::DuplicateGuarded(fd);
  if (copy.ok()) return Adopt(std::move(*copy));
  if (copy.status().code() != MPROC_ERROR_SYSTEM) return copy.status();
  return Status(MPROC_ERROR_INVALID_ARGUMENT, "this is no open descriptor", copy.status().os_code());
}

Status Connection::CanSend() const {
  return use_ != Use::kReceive ? Status() : Status(MPROC_ERROR_CLOSED, "this end of the pipe only receives");
}

Status Connection::CanReceive() const {
  if (use_ == Use::kSend) return Status(MPROC_ERROR_CLOSED, "this end of the pipe only sends");
  return receiver_.Usable();
}

Status Connection::Send(ByteView data, const Deadline& deadline) {
  if (Status can = CanSend(); !can.ok()) return can;
  return sender_.Send({}, data, {}, deadline);
}

Status Connection::SendObjects(ByteView data, std::span<const object::PassedObject> objects,
                               const Deadline& deadline) {
  if (Status can = CanSend(); !can.ok()) return can;
  if (!platform::IsLocalSocket(fd()))
    return Status(MPROC_ERROR_UNSUPPORTED, "objects go only over pipes and local sockets, not over TCP");
  ObjectPreface preface = MakeObjectPreface(objects);
  if (preface.fds.size() > platform::kMostStreamFds)
    return Status(MPROC_ERROR_INVALID_ARGUMENT, "these objects have too many descriptors for one message");
  return sender_.Send(preface.bytes, data, preface.fds, deadline);
}

Result<object::Message> Connection::Receive(const Deadline& deadline) {
  if (Status can = CanReceive(); !can.ok()) return can;
  MyTurn mine(receiver_.turn(), deadline);
  if (!mine.status().ok()) return mine.status();
  if (Status filled = receiver_.Fill(deadline); !filled.ok()) return filled;
  object::Message message;
  message.bytes = std::move(receiver_.bytes());
  receiver_.Done();
  return message;
}

Result<object::Message> Connection::ReceiveObjects(const Deadline& deadline) {
  if (Status can = CanReceive(); !can.ok()) return can;
  MyTurn mine(receiver_.turn(), deadline);
  if (!mine.status().ok()) return mine.status();
  if (Status filled = receiver_.Fill(deadline); !filled.ok()) return filled;
  auto message = TakeObjectMessage(&receiver_.bytes(), &receiver_.passed());
  if (message.ok()) receiver_.Done();
  return message;
}

Status Connection::ReceiveInto(void* buffer, size_t capacity, size_t* size, const Deadline& deadline) {
  if (Status can = CanReceive(); !can.ok()) return can;
  MyTurn mine(receiver_.turn(), deadline);
  if (!mine.status().ok()) return mine.status();
  if (Status filled = receiver_.Fill(deadline); !filled.ok()) return filled;
  *size = receiver_.bytes().size();
  if (*size > capacity) return Status(MPROC_ERROR_BUFFER_TOO_SMALL);
  if (*size) std::memcpy(buffer, receiver_.bytes().data(), *size);
  receiver_.Done();
  return Status();
}

Status Connection::Poll(const Deadline& deadline) {
  if (Status can = CanReceive(); !can.ok()) return can;
  return HasMessage() ? Status() : Await(fd(), platform::Ready::kRead, deadline);
}

}  // namespace mproc::connection
