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

std::vector<ReceivedObject> TakeObjects(ByteView notes, std::span<platform::UniqueFd> fds) {
  std::vector<ReceivedObject> objects;
  ForEach(notes, [&](const ObjectNote& note) {
    ReceivedObject& object = objects.emplace_back(ReceivedObject{note.kind, {}});
    for (auto& fd : fds.first(note.descriptors)) object.fds.push_back(std::move(fd));
    fds = fds.subspan(note.descriptors);
  });
  return objects;
}

}  // namespace mproc::object
