// SPDX-License-Identifier: MIT
// What the host said about bound functions: which function each is, in which block its bytes lie, and the
// objects that go with it. Worker's main thread.
#pragma once

#include <cstring>
#include <unordered_map>
#include <vector>

#include "ipc/message.hh"
#include "worker/bound_object.hh"

namespace mproc::worker {

class BoundFunctions {
 public:
  struct Bound {
    ipc::BoundNote note{};
    uint32_t block = 0;
    std::vector<BoundObject> objects;
  };

  // Any message of the host about blocks; takes the descriptors of objects out of it.
  void Heed(const ipc::MessageHead& head, platform::Message* message) {
    if (head.type == static_cast<uint32_t>(ipc::MessageType::kDropBlock)) {
      std::erase_if(bounds_, [&](const auto& one) { return one.second.block == head.number; });
    }
    ByteView body = ipc::BodyOf(*message);
    Bound bound;
    if (head.type != static_cast<uint32_t>(ipc::MessageType::kBoundBlock) || body.size() < sizeof bound.note)
      return;
    std::memcpy(&bound.note, body.data(), sizeof bound.note);
    bound.block = head.number;
    // Behind the descriptor of the block. If some did not arrive the block counts as lost, too, and comes
    // again.
    if (!TakeObjects(body.subspan(sizeof bound.note), 1, message, &bound.objects)) return;
    if (message->fds.size() > 1) message->fds.resize(1);
    bounds_[bound.note.id] = std::move(bound);
  }
  // Null if nothing was said, or the block was dropped.
  Bound* Find(uint32_t id) {
    auto found = bounds_.find(id);
    return found == bounds_.end() ? nullptr : &found->second;
  }

 private:
  std::unordered_map<uint32_t, Bound> bounds_;
};

}  // namespace mproc::worker
