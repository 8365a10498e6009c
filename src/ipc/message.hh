// SPDX-License-Identifier: MIT
// Messages on the socket between host and worker: what does not fit into rings. Fixed head, then bytes.
//
//   host -> worker   kSetup (with the channel's memory and both bells), kBlock, kDropBlock, kSharedBlock
//                    (memory that both write), kBoundBlock (bytes of a bound function, with a BoundNote and
//                    what goes with it)
//   worker -> host   kHello (its table), kHelloPart (more of it), kRefused (why it cannot serve), kBlock,
//                    kDropBlock, kLastCall (what its finalizer gave), kLastCallPart (more of it)
//   process -> host  kHello, kRefused, kFailed (the error that its function ended with)
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <vector>

#include "base/bytes.hh"
#include "platform/socket.hh"

namespace mproc::ipc {

enum class MessageType : uint32_t {
  kSetup = 1,
  kHello = 2,
  kHelloPart = 3,
  kRefused = 4,
  kBlock = 5,
  kDropBlock = 6,
  kSharedBlock = 7,
  kBoundBlock = 8,
  kLastCall = 9,
  kLastCallPart = 10,
  kFailed = 11
};

struct MessageHead {
  uint32_t type;
  uint32_t number;  // block id; status of a refusal; of a last call 0: a value, 1: the message of an error
  uint64_t size;    // bytes of a block; whole size of a hello or a last call
};

inline constexpr size_t kLargestLastCall = 64 * 1024;

// What a bound function is: a function of the table and where in the block its bytes are. Behind it stand the
// notes on its objects (object/passing.hh), and behind the block's descriptor theirs.
struct BoundNote {
  uint32_t id;
  uint32_t function;
  uint64_t offset;
  uint64_t size;
};

// Sends head and body; the body is cut into parts of type `more` if it is too long for one message.
Status SendFrame(int socket, MessageHead head, ByteView body, std::span<const int> fds, bool wait);
Status SendLong(int socket, MessageHead head, ByteView body, std::span<const int> fds, MessageType more);

// The head of a received message; nothing if it is too short to have one.
std::optional<MessageHead> HeadOf(const platform::Message& message);
inline ByteView BodyOf(const platform::Message& message) {
  return ByteView(message.bytes).subspan(sizeof(MessageHead));
}

// Gathers a body that came in parts. Bounded by `limit`.
class LongBody {
 public:
  explicit LongBody(size_t limit) : limit_(limit) {}
  // Adds the part of a message; false if it is more than announced or allowed.
  bool Add(const MessageHead& head, ByteView part);
  bool complete() const { return started_ && bytes_.size() == size_; }
  const std::vector<std::byte>& bytes() const { return bytes_; }

 private:
  size_t limit_;
  size_t size_ = 0;
  bool started_ = false;
  std::vector<std::byte> bytes_;
};

}  // namespace mproc::ipc
