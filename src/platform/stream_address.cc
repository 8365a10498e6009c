// SPDX-License-Identifier: MIT
#include "platform/stream_address.hh"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "platform/cancellation.hh"

namespace mproc::platform {
namespace {

struct Where {
  sockaddr_storage address{};
  socklen_t size = 0;
};

Result<Where> LocalAddress(const StreamAddress& address) {
  Where where;
  sockaddr_un local{};
  local.sun_family = AF_UNIX;
  size_t before = address.kind == StreamAddress::kAbstract ? 1 : 0, length = address.name.size();
  if (length == 0 || before + length + (before ? 0 : 1) > sizeof local.sun_path)
    return Status(MPROC_ERROR_INVALID_ARGUMENT, "the name of a local address has 1 to 107 bytes");
  std::memcpy(local.sun_path + before, address.name.data(), length);
  where.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length + 1);
  std::memcpy(&where.address, &local, sizeof local);
  return where;
}

// The fourth version of the protocol comes first, as with Python.
Result<Where> TcpAddress(const StreamAddress& address, bool listens) {
  CancellationOff no_cancel;
  std::string port = std::to_string(address.port);
  for (int family : {AF_INET, AF_INET6}) {
    addrinfo hints{}, *found = nullptr;
    hints.ai_family = family;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_NUMERICSERV | (listens ? AI_PASSIVE : 0);
    const char* host = address.name.empty() ? nullptr : address.name.c_str();
    if (getaddrinfo(host, port.c_str(), &hints, &found) != 0 || !found) continue;
    std::unique_ptr<addrinfo, void (*)(addrinfo*)> owned(found, freeaddrinfo);
    Where where;
    where.size = found->ai_addrlen;
    std::memcpy(&where.address, found->ai_addr, found->ai_addrlen);
    return where;
  }
  return Status(MPROC_ERROR_NOT_FOUND, "there is no host '" + address.name + "'");
}

Result<Where> Find(const StreamAddress& address, bool listens) {
  return address.kind == StreamAddress::kTcp ? TcpAddress(address, listens) : LocalAddress(address);
}

// One that forked children do not get, also while it waits to be connected.
Result<GuardedFd> MakeSocket(const Where& where, int flags) {
  NoForks no_forks;
  auto made = TakeFd(socket(where.address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | flags, 0), "socket");
  if (!made.ok()) return made.status();
  return GuardedFd(std::move(*made));
}

Status Failed(const char* what, int os_code) {
  switch (os_code) {
    case EADDRINUSE:
      return Status(MPROC_ERROR_EXISTS, std::string(what) + ": the address is taken", os_code);
    case ENOENT:
    case ENOTDIR:
    case ECONNREFUSED:
    case EADDRNOTAVAIL:
      return Status(MPROC_ERROR_NOT_FOUND, std::string(what) + ": there is nothing of this address", os_code);
    case EAGAIN:  // local; of TCP these two
    case EINPROGRESS:
    case ETIMEDOUT:
      return Status(MPROC_ERROR_TIMED_OUT);
    case EINTR:
      return Status(MPROC_ERROR_INTERRUPTED);
    default:
      return Status::System(what, os_code);
  }
}

}  // namespace

Result<GuardedFd> ListenAt(const StreamAddress& address, int backlog) {
  auto where = Find(address, true);
  if (!where.ok()) return where.status();
  auto made = MakeSocket(*where, SOCK_NONBLOCK);
  if (!made.ok()) return made;
  int on = 1;
  if (address.kind == StreamAddress::kTcp) setsockopt(made->get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(made->get(), reinterpret_cast<sockaddr*>(&where->address), where->size) != 0)
    return Failed("listening", errno);
  if (listen(made->get(), backlog) != 0) {
    int os_code = errno;
    if (address.kind == StreamAddress::kPath) RemoveFile(address.name.c_str());
    return Failed("listening", os_code);
  }
  return made;
}

uint16_t PortOf(int listening) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (getsockname(listening, reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
  if (address.ss_family == AF_INET) return ntohs(reinterpret_cast<sockaddr_in*>(&address)->sin_port);
  if (address.ss_family == AF_INET6) return ntohs(reinterpret_cast<sockaddr_in6*>(&address)->sin6_port);
  return 0;
}

Result<std::optional<GuardedFd>> AcceptStream(int listening) {
  NoForks no_forks;
  long fd = syscall(SYS_accept4, listening, nullptr, nullptr, SOCK_CLOEXEC);
  if (fd >= 0) {
    auto taken = TakeFd(static_cast<int>(fd), "accepting a connection");
    if (!taken.ok()) return taken.status();
    return std::optional<GuardedFd>(GuardedFd(std::move(*taken)));
  }
  switch (errno) {
    case EAGAIN:
    case EINTR:
    // The faults of the one who connected, or of the network to it, as accept(2) lists them. All others may
    // come again and again.
    case ECONNABORTED:
    case ENETDOWN:
    case EPROTO:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case ENONET:
    case EHOSTUNREACH:
    case EOPNOTSUPP:
    case ENETUNREACH:
      return std::optional<GuardedFd>();
    default:
      return Status::System("accepting a connection", errno);
  }
}

Result<GuardedFd> ConnectTo(const StreamAddress& address, int64_t nanoseconds) {
  auto where = Find(address, false);
  if (!where.ok()) return where.status();
  auto made = MakeSocket(*where, 0);
  if (!made.ok()) return made;
  // The system's own limit of what a socket sends holds for connecting, too; 0 is none.
  timeval limit{0, 0}, none{0, 0};
  if (nanoseconds != INT64_MAX) {
    int64_t us = std::max<int64_t>(1, nanoseconds / 1000);
    limit = {static_cast<time_t>(us / 1000000), static_cast<suseconds_t>(us % 1000000)};
  }
  setsockopt(made->get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  if (syscall(SYS_connect, made->get(), &where->address, where->size) != 0)
    return Failed("connecting", errno);
  setsockopt(made->get(), SOL_SOCKET, SO_SNDTIMEO, &none, sizeof none);
  return made;
}

FileMark MarkOfFile(const char* path) {
  struct stat file {};
  if (lstat(path, &file) != 0) return {};
  return {file.st_dev, file.st_ino};
}

void RemoveFile(const char* path) { unlink(path); }

}  // namespace mproc::platform
