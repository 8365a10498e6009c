// SPDX-License-Identifier: MIT
// A lock or the like that the host has passed with a bound function or to a process. The worker's thread.
#pragma once

#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

#include "ipc/message.hh"

namespace mproc::worker {

struct BoundObject {
  uint32_t kind = 0;
  std::vector<platform::UniqueFd> fds;
  void* handle = nullptr;       // for the functions; null: none has asked yet
  std::shared_ptr<void> owner;  // of the handle
};

// Takes the objects that these notes tell of out of a message whose descriptors from `first` on are theirs.
// False if some did not arrive.
inline bool TakeObjects(ByteView notes, size_t first, platform::Message* message,
                        std::vector<BoundObject>* objects) {
  size_t next = std::min(first, message->fds.size());
  for (; notes.size() >= sizeof(ipc::ObjectNote); notes = notes.subspan(sizeof(ipc::ObjectNote))) {
    ipc::ObjectNote note;
    std::memcpy(&note, notes.data(), sizeof note);
    if (message->fds_lost || note.descriptors > message->fds.size() - next) return false;
    BoundObject object;
    object.kind = note.kind;
    for (uint32_t i = 0; i < note.descriptors; i++) object.fds.push_back(std::move(message->fds[next++]));
    objects->push_back(std::move(object));
  }
  auto begin = message->fds.begin();
  message->fds.erase(begin + static_cast<ptrdiff_t>(std::min(first, next)),
                     begin + static_cast<ptrdiff_t>(next));
  return true;
}

}  // namespace mproc::worker
