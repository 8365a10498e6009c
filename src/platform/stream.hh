// SPDX-License-Identifier: MIT
// Stream sockets: pairs of them, and moving bytes and descriptors without ever waiting in the move itself.
// None of this raises SIGPIPE or is a cancellation point, and none of it sets O_NONBLOCK: that belongs to the
// open file, which other processes may share.
#pragma once

#include <span>
#include <vector>

#include "base/bytes.hh"
#include "platform/fd.hh"
#include "platform/fork_guard.hh"

namespace mproc::platform {

inline constexpr size_t kMostStreamFds = 253;  // of one send: the kernel's SCM_MAX_FD

// Two connected ends, close-on-exec.
Result<GuardedEnds> MakeGuardedStreamPair();

struct Moved {
  enum How { kSome, kNotYet, kEnd, kFailed } how;  // kEnd: the peer has closed, or nobody reads there
  size_t size = 0;                                 // kSome: so many bytes
  int os_code = 0;                                 // kFailed
};

// Sends from the beginning of what these parts are one after another, at most 8. The descriptors go with the
// first byte.
Moved SendSome(int socket, std::span<const ByteView> parts, std::span<const int> fds);

// Descriptors that came with bytes.
struct PassedFds {
  std::vector<GuardedFd> fds;
  bool lost = false;  // not all of them could be taken
};

// Takes at most `size` bytes; descriptors that come with them only if `passed` is given, else they are
// dropped.
Moved ReceiveSome(int socket, void* buffer, size_t size, PassedFds* passed = nullptr);

// True for a connected stream socket of any family, or of a local one.
bool IsStream(int fd);
bool IsLocalSocket(int fd);

// A small number, 0 to 6, that a local socket keeps wherever it is passed: its SO_PRIORITY, which means
// nothing to the system for such sockets.
Status MarkStream(int socket, int mark);
int MarkOfStream(int socket);  // 0 of others

}  // namespace mproc::platform
