// SPDX-License-Identifier: MIT
#include "connection/object_frame.hh"

#include <cstring>

namespace mproc::connection {
namespace {

constexpr char kMagic[8] = {'m', 'p', 'r', 'o', 'c', 'o', 'b', 'j'};

struct Head {
  char magic[8];
  uint32_t count;
};
constexpr size_t kHead = 12;
static_assert(offsetof(Head, count) == 8 && sizeof(Head) == kHead);

}  // namespace

ObjectPreface MakeObjectPreface(std::span<const object::PassedObject> objects) {
  ObjectPreface made;
  Head head{{}, static_cast<uint32_t>(objects.size())};
  std::memcpy(head.magic, kMagic, sizeof kMagic);
  ByteView bytes = AsBytes(&head, kHead);
  made.bytes.assign(bytes.begin(), bytes.end());
  for (const auto& object : objects) object::Tell(object, &made.bytes, &made.fds);
  return made;
}

Result<object::Message> TakeObjectMessage(Buffer* bytes, platform::PassedFds* passed) {
  Head head{};
  if (bytes->size() >= kHead) std::memcpy(&head, bytes->data(), kHead);
  if (std::memcmp(head.magic, kMagic, sizeof kMagic) != 0)
    return Status(MPROC_ERROR_WRONG_KIND, "the message has no objects; receive it as an ordinary one");
  if (head.count == 0 || head.count > object::kMostPassed ||
      bytes->size() - kHead < head.count * sizeof(object::ObjectNote))
    return Status(MPROC_ERROR_PROTOCOL, "a message whose number of objects cannot be");
  if (passed->lost)
    return Status(MPROC_ERROR_DESCRIPTOR_LIMIT, "descriptors of the message's objects could not be taken");
  ByteView notes = bytes->view().subspan(kHead, head.count * sizeof(object::ObjectNote));
  if (object::CountDescriptors(notes) != passed->fds.size())
    return Status(MPROC_ERROR_PROTOCOL,
                  "a message that came with more or fewer descriptors than its objects have");
  std::vector<platform::UniqueFd> fds;  // bare for a moment: each object guards its own
  fds.reserve(passed->fds.size());
  for (auto& fd : passed->fds) fds.push_back(fd.Release());
  object::Message message;
  message.objects = object::TakeObjects(notes, fds);
  size_t preface = kHead + notes.size();
  std::memmove(bytes->data(), bytes->data() + preface, bytes->size() - preface);
  bytes->SetSize(bytes->size() - preface);
  message.bytes = std::move(*bytes);
  return message;
}

}  // namespace mproc::connection
