// SPDX-License-Identifier: MIT
// Connections: messages, one after another, between two processes, over a stream socket, in the form that
// Python's multiprocessing.connection has on the wire.
#pragma once

#include <memory>
#include <span>
#include <utility>

#include "connection/receiver.hh"
#include "connection/sender.hh"
#include "object/message.hh"
#include "object/object.hh"
#include "platform/fork_guard.hh"

namespace mproc::connection {

// What an end of a pipe is for. The numbers are marks of sockets and never change.
enum class Use : int { kBoth = 0, kReceive = 1, kSend = 2 };

// Any thread: one at a time sends, one at a time receives, the others wait for their turn up to their limit.
// Processes that have the same end do not wait for one another: their messages would mix.
class Connection final : public object::Object {
 public:
  static constexpr object::Kind kKind = object::Kind::kConnection;
  using Pair = std::pair<std::shared_ptr<Connection>, std::shared_ptr<Connection>>;

  // The two ends of a new one; if it is not duplex the first one receives and the second one sends.
  static Result<Pair> MakePipe(bool duplex);
  // Of a stream socket that is connected; PROTOCOL if it is none.
  static Result<std::shared_ptr<Connection>> Adopt(platform::GuardedFd socket);
  static Result<std::shared_ptr<Connection>> Adopt(platform::UniqueFd socket) {
    return Adopt(platform::GuardedFd(std::move(socket)));
  }

  // Of a duplicate of one that is the caller's; INVALID_ARGUMENT if it is not open.
  static Result<std::shared_ptr<Connection>> AdoptDuplicate(int fd);

  int fd() const { return socket_.get(); }
  std::vector<int> Descriptors() const override { return {fd()}; }
  Use use() const { return use_; }

  // OK, TIMED_OUT, INTERRUPTED, BROKEN_PIPE, CLOSED (this end receives only), SYSTEM.
  Status Send(ByteView data, const Deadline& deadline);
  // And UNSUPPORTED (no local socket), INVALID_ARGUMENT (too many descriptors).
  Status SendObjects(ByteView data, std::span<const object::PassedObject> objects, const Deadline& deadline);

  // OK, TIMED_OUT, INTERRUPTED, END_OF_FILE, PROTOCOL (cut off), BAD_LENGTH, CLOSED (this end sends only),
  // OUT_OF_MEMORY, SYSTEM. What came of a message when a call fails is kept.
  Result<object::Message> Receive(const Deadline& deadline);
  // And WRONG_KIND (one without objects), PROTOCOL, DESCRIPTOR_LIMIT; the message is kept then.
  Result<object::Message> ReceiveObjects(const Deadline& deadline);
  // And BUFFER_TOO_SMALL: the message is kept. *size is that of the message.
  Status ReceiveInto(void* buffer, size_t capacity, size_t* size, const Deadline& deadline);
  // OK as soon as there is something to receive or the end.
  Status Poll(const Deadline& deadline);
  // OK, or why there is nothing to wait for: CLOSED, BAD_LENGTH, PROTOCOL.
  Status CanReceive() const;
  bool HasMessage() const { return receiver_.HasMessage(); }
  void SetMost(uint64_t most) { receiver_.SetMost(most); }
  void TakeDescriptors(bool take) { receiver_.TakeDescriptors(take); }

 private:
  Connection(platform::GuardedFd socket, Use use)
      : Object(kKind), socket_(std::move(socket)), use_(use), receiver_(fd()), sender_(fd()) {}
  Status CanSend() const;

  const platform::GuardedFd socket_;  // a forked child that kept it would keep the end of file away
  const Use use_;
  Receiver receiver_;
  Sender sender_;
};

}  // namespace mproc::connection
