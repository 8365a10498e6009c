// SPDX-License-Identifier: MIT
// The key by which processes of one program know one another: random bytes, made when they are first asked
// for, or what the program sets. Children have what their parent had when it started them. Any thread.
#pragma once

#include <vector>

#include "base/bytes.hh"
#include "base/status.hh"

namespace mproc::worker {

// UNSUPPORTED: none was set, and the system has no random bytes.
Result<std::vector<std::byte>> ProcessKey();
void SetProcessKey(ByteView key);

}  // namespace mproc::worker
