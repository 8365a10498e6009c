// SPDX-License-Identifier: MIT
#include "connection/object_frame.hh"

#include <cstring>

namespace mproc::connection {
namespace {

constexpr char kMagic[8] = {'m', 'p', 'r', 'o', 'c', 'o', 'b', 'j'};

struct Entry {
  uint32_t kind;
  uint32_t fds;
};
struct Head {
  char magic[8];
  uint32_t count;
};
constexpr size_t kHead = 12;
static_assert(offsetof(Head, count) == 8 && sizeof(Head) == kHead && sizeof(Entry) == 8);

}  // namespace

ObjectPreface MakeObjectPreface(std::span<const object::PassedObject> objects) {
  ObjectPreface made;
  made.bytes.resize(kHead + objects.size() * sizeof(Entry));
  Head head{{}, static_cast<uint32_t>(objects.size())};
  std::memcpy(head.magic, kMagic, sizeof kMagic);
  std::memcpy(made.bytes.data(), &head, kHead);
  std::byte* at = made.bytes.data() + kHead;
  for (const auto& object : objects) {
    Entry entry{object.kind, static_cast<uint32_t>(object.fds.size())};
    std::memcpy(at, &entry, sizeof entry);
    at += sizeof entry;
    made.fds.insert(made.fds.end(), object.fds.begin(), object.fds.end());
  }
  return made;
}

Result<object::Message> TakeObjectMessage(Buffer* bytes, platform::PassedFds* passed) {
  Head head{};
  if (bytes->size() >= kHead) std::memcpy(&head, bytes->data(), kHead);
  if (std::memcmp(head.magic, kMagic, sizeof kMagic) != 0)
    return Status(MPROC_ERROR_WRONG_KIND, "the message has no objects; receive it as an ordinary one");
  if (head.count == 0 || head.count > object::kMostPassed ||
      bytes->size() - kHead < head.count * sizeof(Entry))
    return Status(MPROC_ERROR_PROTOCOL, "a message whose number of objects cannot be");
  if (passed->lost)
    return Status(MPROC_ERROR_DESCRIPTOR_LIMIT, "descriptors of the message's objects could not be taken");
  object::Message message;
  size_t fds = 0;
  for (size_t i = 0; i < head.count; i++) {
    Entry entry;
    std::memcpy(&entry, bytes->data() + kHead + i * sizeof entry, sizeof entry);
    if (entry.fds == 0 || entry.fds > passed->fds.size() - fds)
      return Status(MPROC_ERROR_PROTOCOL, "a message that came without the descriptors of its objects");
    fds += entry.fds;
    message.objects.push_back({entry.kind, object::ReceivedFds(entry.fds)});
  }
  if (fds != passed->fds.size())
    return Status(MPROC_ERROR_PROTOCOL, "a message with more descriptors than its objects have");
  size_t preface = kHead + head.count * sizeof(Entry), next = 0;
  for (auto& object : message.objects) {
    for (auto& fd : object.fds) fd = std::move(passed->fds[next++]);
  }
  std::memmove(bytes->data(), bytes->data() + preface, bytes->size() - preface);
  bytes->SetSize(bytes->size() - preface);
  message.bytes = std::move(*bytes);
  return message;
}

}  // namespace mproc::connection
