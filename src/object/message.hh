// SPDX-License-Identifier: MIT
// What came from another process: bytes, and objects that nobody has adopted yet. A value.
#pragma once

#include <vector>

#include "base/buffer.hh"
#include "object/object.hh"

namespace mproc::object {

inline constexpr size_t kMostPassed = 64;  // objects of one message, task or process

struct ReceivedObject {
  uint32_t kind;
  ReceivedFds fds;  // empty once it was taken
};

struct Message {
  Buffer bytes;
  std::vector<ReceivedObject> objects;
};

}  // namespace mproc::object
