// SPDX-License-Identifier: MIT
// A message with objects: bytes that say that it is one and what the objects are, then the bytes of the
// sender. The objects' descriptors go with the first byte of it. In the order of this machine's bytes, which
// descriptors do not leave.
#pragma once

#include <span>
#include <vector>

#include "base/buffer.hh"
#include "object/passing.hh"
#include "platform/stream.hh"

namespace mproc::connection {

// What to send before the bytes, and the descriptors.
struct ObjectPreface {
  std::vector<std::byte> bytes;
  std::vector<int> fds;
};
ObjectPreface MakeObjectPreface(std::span<const object::PassedObject> objects);

// Takes the message apart if all is well with it, else leaves it as it is. WRONG_KIND: it is none of these;
// PROTOCOL: its descriptors are not what it says.
Result<object::Message> TakeObjectMessage(Buffer* bytes, platform::PassedFds* passed);

}  // namespace mproc::connection
