// SPDX-License-Identifier: MIT
// How an object goes to another process: as its kind and its descriptors.
#pragma once

#include <vector>

#include "sync/object.hh"

namespace mproc::sync {

// What to send of it; the descriptors stay the object's.
std::vector<int> DescriptorsOf(const Object& object);
// The same object, of what was received. PROTOCOL and WRONG_KIND: it is none, or not of this kind.
Result<std::shared_ptr<Object>> AdoptObject(uint32_t kind, std::vector<platform::UniqueFd> fds);

}  // namespace mproc::sync
