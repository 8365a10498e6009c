// SPDX-License-Identifier: MIT
#include "ipc/message.hh"

#include <algorithm>

namespace mproc::ipc {

Status SendFrame(int socket, MessageHead head, ByteView body, std::span<const int> fds, bool wait) {
  std::vector<std::byte> frame(sizeof head + body.size());
  std::memcpy(frame.data(), &head, sizeof head);
  if (!body.empty()) std::memcpy(frame.data() + sizeof head, body.data(), body.size());
  return platform::SendMessage(socket, frame, fds, wait);
}

Status SendLong(int socket, MessageHead head, ByteView body, std::span<const int> fds, MessageType more) {
  constexpr size_t kPart = platform::kMaxMessage - sizeof(MessageHead);
  head.size = body.size();
  size_t first = std::min(body.size(), kPart);
  if (Status sent = SendFrame(socket, head, body.first(first), fds, true); !sent.ok()) return sent;
  for (body = body.subspan(first); !body.empty(); body = body.subspan(first)) {
    first = std::min(body.size(), kPart);
    head.type = static_cast<uint32_t>(more);
    if (Status sent = SendFrame(socket, head, body.first(first), {}, true); !sent.ok()) return sent;
  }
  return Status();
}

std::optional<MessageHead> HeadOf(const platform::Message& message) {
  if (message.bytes.size() < sizeof(MessageHead)) return std::nullopt;
  MessageHead head;
  std::memcpy(&head, message.bytes.data(), sizeof head);
  return head;
}

bool LongBody::Add(const MessageHead& head, ByteView part) {
  if (!started_) {
    if (head.size > limit_) return false;
    size_ = head.size;
    started_ = true;
  }
  if (head.size != size_ || part.size() > size_ - bytes_.size()) return false;
  if (part.empty() && size_ != 0) return false;  // could go on for ever
  bytes_.insert(bytes_.end(), part.begin(), part.end());
  return true;
}

}  // namespace mproc::ipc
