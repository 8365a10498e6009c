// SPDX-License-Identifier: MIT
// How an object of this room comes from another process.
#pragma once

#include "object/shared_object.hh"

namespace mproc::sync {

// The same object, of what was received: one to two descriptors. PROTOCOL and WRONG_KIND: it is none, or not
// of this kind.
Result<std::shared_ptr<object::Object>> AdoptObject(object::Kind kind, object::ReceivedFds fds);

}  // namespace mproc::sync
