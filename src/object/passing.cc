// SPDX-License-Identifier: MIT
#include "object/passing.hh"

#include <cstring>

namespace mproc::object {
namespace {

template <typename Body>
void ForEach(ByteView notes, Body&& body) {
  for (; notes.size() >= sizeof(ObjectNote); notes = notes.subspan(sizeof(ObjectNote))) {
    ObjectNote note;
    std::memcpy(&note, notes.data(), sizeof note);
    body(note);
  }
}

}  // namespace

void Tell(const PassedObject& object, std::vector<std::byte>* notes, std::vector<int>* fds) {
  ObjectNote note{object.kind, static_cast<uint32_t>(object.fds.size())};
  ByteView bytes = AsBytes(&note, sizeof note);
  notes->insert(notes->end(), bytes.begin(), bytes.end());
  fds->insert(fds->end(), object.fds.begin(), object.fds.end());
}

size_t CountDescriptors(ByteView notes) {
  size_t count = 0;
  bool good = true;
  ForEach(notes, [&](const ObjectNote& note) {
    good &= note.descriptors > 0;
    count += note.descriptors;
  });
  return good ? count : SIZE_MAX;
}

std::vector<ReceivedObject> ReadNotes(ByteView notes) {
  std::vector<ReceivedObject> objects;
  ForEach(notes, [&](const ObjectNote& note) {
    objects.emplace_back(ReceivedObject{note.kind, {}}).fds.resize(note.descriptors);
  });
  return objects;
}

void GiveDescriptors(std::span<platform::UniqueFd> fds, std::vector<ReceivedObject>* objects) {
  auto next = fds.begin();
  for (ReceivedObject& object : *objects) {
    for (ReceivedFd& fd : object.fds) fd = std::move(*next++);
  }
}

std::vector<ReceivedObject> TakeObjects(ByteView notes, std::span<platform::UniqueFd> fds) {
  std::vector<ReceivedObject> objects = ReadNotes(notes);
  GiveDescriptors(fds, &objects);
  return objects;
}

}  // namespace mproc::object
