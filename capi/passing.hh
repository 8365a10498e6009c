// SPDX-License-Identifier: MIT
// Objects that go to another process, and that come from one.
#pragma once

#include <vector>

#include "capi/object_handles.hh"
#include "object/message.hh"

namespace mproc::capi {

// What to send of these, at most object::kMostPassed; it keeps them.
Result<std::vector<object::PassedObject>> PassAll(void* const* handles, size_t count);

// An object of any kind, of what was received. PROTOCOL and WRONG_KIND: it is none, or another one.
Result<std::shared_ptr<object::Object>> AdoptObject(uint32_t kind, object::ReceivedFds fds);

}  // namespace mproc::capi
