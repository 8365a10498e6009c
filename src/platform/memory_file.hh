// SPDX-License-Identifier: MIT
// Bytes in a nameless file, for messages that are too long for a socket. Any thread.
#pragma once

#include <string>
#include <vector>

#include "base/bytes.hh"
#include "platform/fd.hh"

namespace mproc::platform {

// A memory file with these bytes. UNSUPPORTED where the system has none.
Result<UniqueFd> MakeMemoryFile(const char* name, ByteView bytes);

// The first `size` bytes of a file of a peer, copied; an error if it has less. The caller bounds `size`.
Result<std::vector<std::byte>> ReadMemoryFile(int fd, size_t size);

// The last bytes of such a file, `most` at most; empty if it cannot be read.
std::string TailOfMemoryFile(int fd, size_t most);

}  // namespace mproc::platform
