// SPDX-License-Identifier: MIT
// Where stream sockets listen and connect to.
#pragma once

#include <optional>
#include <string>

#include "platform/fork_guard.hh"

namespace mproc::platform {

struct StreamAddress {
  enum Kind { kPath, kAbstract, kTcp } kind = kPath;
  std::string name;  // path, name or host
  uint16_t port = 0;
};

// Listens there, non-blocking. EXISTS: it is taken; NOT_FOUND: no such host or folder; INVALID_ARGUMENT: the
// name is too long.
Result<GuardedFd> ListenAt(const StreamAddress& address, int backlog);
uint16_t PortOf(int listening);

// One who waits to be connected; null: nobody, or one who has gone again.
Result<std::optional<GuardedFd>> AcceptStream(int listening);

// Connects within so many nanoseconds. TIMED_OUT, INTERRUPTED, NOT_FOUND (nobody listens there). The limit
// does not hold for looking up a host that is no number.
Result<GuardedFd> ConnectTo(const StreamAddress& address, int64_t nanoseconds);

// Which file a path names, to see later whether it still does.
struct FileMark {
  uint64_t device = 0, inode = 0;
  bool operator==(const FileMark&) const = default;
};
FileMark MarkOfFile(const char* path);
void RemoveFile(const char* path);

}  // namespace mproc::platform
