// SPDX-License-Identifier: MIT
#include "platform/socket.hh"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "platform/passed_fds.hh"

// The raw calls: those of the C library are cancellation points, and a cancelled thread would unwind through
// code that holds locks.
namespace mproc::platform {
namespace {

constexpr size_t kControlSize =
    CMSG_SPACE(kMaxFdsPerMessage * sizeof(int)) + CMSG_SPACE(sizeof(struct ucred));

void TakeControl(const msghdr& header, Message* message) {
  for (cmsghdr* c = CMSG_FIRSTHDR(&header); c; c = CMSG_NXTHDR(const_cast<msghdr*>(&header), c)) {
    if (c->cmsg_level != SOL_SOCKET) continue;
    if (c->cmsg_type == SCM_RIGHTS) {
      if (!TakePassedFds(c, &message->fds)) message->fds_lost = true;
    } else if (c->cmsg_type == SCM_CREDENTIALS) {
      struct ucred cred;
      memcpy(&cred, CMSG_DATA(c), sizeof cred);
      message->sender = Credentials{cred.pid, cred.uid, cred.gid};
    }
  }
  if (header.msg_flags & MSG_CTRUNC) message->fds_lost = true;
}

}  // namespace

Result<std::pair<UniqueFd, UniqueFd>> MakeSocketPair(PairOf kind) {
  int ends[2];
  if (socketpair(AF_UNIX, (kind == PairOf::kStreams ? SOCK_STREAM : SOCK_SEQPACKET) | SOCK_CLOEXEC, 0,
                 ends) != 0) {
    return Status::System("socketpair", errno);
  }
  UniqueFd raw_first(ends[0]), raw_second(ends[1]);
  auto first = TakeFd(raw_first.Release(), "socketpair");
  if (!first.ok()) return first.status();
  auto second = TakeFd(raw_second.Release(), "socketpair");
  if (!second.ok()) return second.status();
  return std::pair(std::move(*first), std::move(*second));
}

Status SendMessage(int socket, ByteView bytes, std::span<const int> fds, bool wait, bool credentials) {
  alignas(cmsghdr) char control[kControlSize] = {};
  iovec part{const_cast<std::byte*>(bytes.data()), bytes.size()};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  size_t used = 0;
  auto put = [&](int type, const void* data, size_t size) {
    auto* c = reinterpret_cast<cmsghdr*>(control + used);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = type;
    c->cmsg_len = CMSG_LEN(size);
    memcpy(CMSG_DATA(c), data, size);
    used += CMSG_SPACE(size);
  };
  if (!fds.empty()) put(SCM_RIGHTS, fds.data(), fds.size() * sizeof(int));
  if (credentials) {
    struct ucred self = {getpid(), getuid(), getgid()};
    put(SCM_CREDENTIALS, &self, sizeof self);
  }
  if (used) {
    header.msg_control = control;
    header.msg_controllen = used;
  }
  for (;;) {
    if (syscall(SYS_sendmsg, socket, &header, MSG_NOSIGNAL | (wait ? 0 : MSG_DONTWAIT)) >= 0) return Status();
    if (errno == EINTR) continue;
    if (errno == EAGAIN) return Status(MPROC_ERROR_QUEUE_FULL);
    if (errno == ETOOMANYREFS && !wait) {  // it passes: others receive theirs in time
      return Status(MPROC_ERROR_QUEUE_FULL, "too many descriptors are under way in sockets", errno);
    }
    return Status::System("sending a message", errno);
  }
}

namespace {

Receive TakeMessage(int socket, int flags, Message* message) {
  alignas(cmsghdr) char control[kControlSize];
  std::byte buffer[kMaxMessage];  // of which only what comes is touched
  message->fds.clear();
  message->fds_lost = false;
  message->sender.reset();
  iovec part{buffer, sizeof buffer};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control;
  header.msg_controllen = sizeof control;
  for (;;) {
    ssize_t n = syscall(SYS_recvmsg, socket, &header, MSG_CMSG_CLOEXEC | flags);
    // A peer that ended with messages unread: told once, and what it said before can still be read.
    if (n < 0 && errno == ECONNRESET) continue;
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) return Receive::kNothing;
    if (n <= 0) return Receive::kEnd;
    TakeControl(header, message);
    message->bytes.assign(buffer, buffer + n);
    return Receive::kMessage;
  }
}

}  // namespace

Receive ReceiveMessage(int socket, bool wait, Message* message) {
  return TakeMessage(socket, wait ? 0 : MSG_DONTWAIT, message);
}

Receive PeekMessage(int socket, Message* message) { return TakeMessage(socket, MSG_PEEK, message); }

ssize_t PeekBytes(int socket, void* bytes, size_t size) {
  ssize_t n;
  do {
    n = syscall(SYS_recvfrom, socket, bytes, size, MSG_PEEK | MSG_DONTWAIT, nullptr, nullptr);
  } while (n < 0 && (errno == EINTR || errno == ECONNRESET));
  return n;
}

void EndSending(int socket) { shutdown(socket, SHUT_WR); }

bool IsMessageSocket(int fd) {
  int type = 0, domain = 0;
  socklen_t size = sizeof type;
  if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) != 0 || type != SOCK_SEQPACKET) return false;
  size = sizeof domain;
  return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 && domain == AF_UNIX;
}

Status AskForCredentials(int socket) {
  int on = 1;
  if (setsockopt(socket, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) != 0) {
    return Status::System("SO_PASSCRED", errno);
  }
  return Status();
}

}  // namespace mproc::platform
