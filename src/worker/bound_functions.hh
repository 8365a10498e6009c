// SPDX-License-Identifier: MIT
// What the host said about bound functions: which function each is, and in which block its bytes lie.
// Worker's main thread.
#pragma once

#include <cstring>
#include <unordered_map>

#include "ipc/message.hh"

namespace mproc::worker {

class BoundFunctions {
 public:
  struct Bound {
    ipc::BoundNote note;
    uint32_t block;
  };

  // Any message of the host about blocks.
  void Heed(const ipc::MessageHead& head, ByteView body) {
    if (head.type == static_cast<uint32_t>(ipc::MessageType::kDropBlock)) {
      std::erase_if(bounds_, [&](const auto& one) { return one.second.block == head.number; });
    }
    Bound bound{{}, head.number};
    if (head.type != static_cast<uint32_t>(ipc::MessageType::kBoundBlock) ||
        body.size() != sizeof bound.note) {
      return;
    }
    std::memcpy(&bound.note, body.data(), sizeof bound.note);
    bounds_[bound.note.id] = bound;
  }
  // Null if nothing was said, or the block was dropped.
  const Bound* Find(uint32_t id) const {
    auto found = bounds_.find(id);
    return found == bounds_.end() ? nullptr : &found->second;
  }

 private:
  std::unordered_map<uint32_t, Bound> bounds_;
};

}  // namespace mproc::worker
