// SPDX-License-Identifier: MIT
#include "platform/stream.hh"

#include <errno.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "platform/passed_fds.hh"
#include "platform/socket.hh"

// The raw calls: those of the C library are cancellation points, and a cancelled thread would unwind through
// code that holds locks.
namespace mproc::platform {
namespace {

constexpr size_t kMostParts = 8;
constexpr size_t kControlSize = CMSG_SPACE(kMostStreamFds * sizeof(int));

// What the system said of a move; kSome and the size if it moved something.
Moved Judge(long moved) {
  if (moved >= 0) return {Moved::kSome, static_cast<size_t>(moved)};
  switch (errno) {
    case EAGAIN:
      return {Moved::kNotYet};
    case EPIPE:
    case ECONNRESET:
    case ETIMEDOUT:  // TCP: the peer's machine is gone
      return {Moved::kEnd};
    default:
      return {Moved::kFailed, 0, errno};
  }
}

int OptionOf(int fd, int option) {
  int value = -1;
  socklen_t size = sizeof value;
  return getsockopt(fd, SOL_SOCKET, option, &value, &size) == 0 ? value : -1;
}

}  // namespace

Result<GuardedEnds> MakeGuardedStreamPair() {
  NoForks no_forks;
  auto ends = MakeSocketPair(PairOf::kStreams);
  if (!ends.ok()) return ends.status();
  return GuardedEnds(GuardedFd(std::move(ends->first)), GuardedFd(std::move(ends->second)));
}

Moved SendSome(int socket, std::span<const ByteView> parts, std::span<const int> fds) {
  alignas(cmsghdr) char control[kControlSize];
  iovec pieces[kMostParts];
  size_t count = std::min(parts.size(), kMostParts);
  for (size_t i = 0; i < count; i++) pieces[i] = {const_cast<std::byte*>(parts[i].data()), parts[i].size()};
  msghdr header{};
  header.msg_iov = pieces;
  header.msg_iovlen = count;
  if (!fds.empty()) {
    std::memset(control, 0, CMSG_SPACE(fds.size_bytes()));
    auto* c = reinterpret_cast<cmsghdr*>(control);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(fds.size_bytes());
    std::memcpy(CMSG_DATA(c), fds.data(), fds.size_bytes());
    header.msg_control = control;
    header.msg_controllen = CMSG_SPACE(fds.size_bytes());
  }
  for (;;) {
    long sent = syscall(SYS_sendmsg, socket, &header, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    return Judge(sent);
  }
}

Moved ReceiveSome(int socket, void* buffer, size_t size, PassedFds* passed) {
  alignas(cmsghdr) char control[kControlSize];  // of which only what comes is touched
  iovec piece{buffer, size};
  msghdr header{};
  header.msg_iov = &piece;
  header.msg_iovlen = 1;
  bool reset = false;
  if (passed)
    passed->fds.reserve(passed->fds.size() + kMaxFdsPerMessage);  // what has come has gone from there
  for (;;) {
    header.msg_control = passed ? control : nullptr;
    header.msg_controllen = passed ? sizeof control : 0;
    long got = syscall(SYS_recvmsg, socket, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (got < 0 && errno == EINTR) continue;
    // A local peer that ended with messages unread: told once, and what it said before can still be read.
    if (got < 0 && errno == ECONNRESET && !std::exchange(reset, true)) continue;
    if (got == 0 && size > 0) return {Moved::kEnd};
    if (got > 0 && passed) {
      for (cmsghdr* c = CMSG_FIRSTHDR(&header); c; c = CMSG_NXTHDR(&header, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
        if (!TakePassedFds(c, &passed->fds)) passed->lost = true;
      }
      if (header.msg_flags & MSG_CTRUNC) passed->lost = true;
    }
    return Judge(got);
  }
}

bool IsStream(int fd) {
  sockaddr_storage peer;
  socklen_t size = sizeof peer;
  // One whose peer has closed is still one.
  return OptionOf(fd, SO_TYPE) == SOCK_STREAM && OptionOf(fd, SO_ACCEPTCONN) == 0 &&
         (IsLocalSocket(fd) || getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) == 0);
}

bool IsLocalSocket(int fd) { return OptionOf(fd, SO_DOMAIN) == AF_UNIX; }

Status MarkStream(int socket, int mark) {
  if (setsockopt(socket, SOL_SOCKET, SO_PRIORITY, &mark, sizeof mark) == 0) return Status();
  return Status::System("SO_PRIORITY", errno);
}

int MarkOfStream(int socket) {
  int mark = IsLocalSocket(socket) ? OptionOf(socket, SO_PRIORITY) : 0;
  return mark > 0 ? mark : 0;
}

}  // namespace mproc::platform
