// SPDX-License-Identifier: MIT
// A lock or the like that the host has passed with a bound function or to a process. The worker's thread.
#pragma once

#include <memory>
#include <vector>

#include "object/passing.hh"
#include "platform/fork_guard.hh"
#include "platform/socket.hh"

namespace mproc::worker {

struct BoundObject : object::ReceivedObject {
  void* handle = nullptr;       // for the functions; null: none has asked yet
  std::shared_ptr<void> owner;  // of the handle
};

// Takes the objects that these notes tell of out of a message whose descriptors from `first` on are theirs.
// False if some did not arrive.
inline bool TakeObjects(ByteView notes, size_t first, platform::Message* message,
                        std::vector<BoundObject>* objects) {
  size_t count = object::CountDescriptors(notes);
  if (count == 0) return true;
  if (!platform::StartForkGuard().ok()) return false;  // a function may fork before it asks for them
  if (message->fds_lost || message->fds.size() < first || count > message->fds.size() - first) return false;
  auto begin = message->fds.begin() + static_cast<ptrdiff_t>(first);
  auto end = begin + static_cast<ptrdiff_t>(count);
  for (auto& taken : object::TakeObjects(notes, {begin, end}))
    objects->push_back({std::move(taken), nullptr, {}});
  message->fds.erase(begin, end);
  return true;
}

}  // namespace mproc::worker
