// SPDX-License-Identifier: MIT
#include "platform/fd.hh"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "platform/cancellation.hh"

namespace mproc::platform {

void UniqueFd::Reset(int fd) {
  int old = std::exchange(fd_, fd);
  if (old >= 0) {
    int saved = errno;
#if defined(__SANITIZE_THREAD__)
    CancellationOff no_cancel;
    close(old);  // else the sanitizer takes what gets this number next for the same file
#else
    syscall(SYS_close, old);  // close() is a cancellation point
#endif
    errno = saved;
  }
}

Result<UniqueFd> TakeFd(int fd, const char* what) {
  if (fd < 0) return Status::System(what, errno);
  if (fd > 2) return UniqueFd(fd);
  UniqueFd low(fd);
  int high = fcntl(fd, F_DUPFD_CLOEXEC, 3);
  if (high < 0) return Status::System(what, errno);
  return UniqueFd(high);
}

Result<UniqueFd> DuplicateFd(int fd) {
  int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
  if (copy < 0) return Status::System("duplicating a descriptor", errno);
  return UniqueFd(copy);
}

Result<UniqueFd> ReopenPipe(int read_end) {
  char path[32];
  snprintf(path, sizeof path, "/proc/self/fd/%d", read_end);
  int fd = static_cast<int>(syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (fd < 0 && errno != EMFILE && errno != ENFILE) return DuplicateFd(read_end);
  return TakeFd(fd, "opening a pipe");
}

Result<UniqueFd> MakeEventFd() { return TakeFd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd"); }

void RingEventFd(int fd) {
  int saved = errno;
  uint64_t one = 1;
  syscall(SYS_write, fd, &one, sizeof one);  // full means that it is rung already; no cancellation point
  errno = saved;
}

void ClearEventFd(int fd) {
  uint64_t count;
  syscall(SYS_read, fd, &count, sizeof count);
}

Result<std::pair<UniqueFd, UniqueFd>> MakePipe(Writes writes) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return Status::System("pipe2", errno);
  if (writes == Writes::kBlocking) fcntl(ends[1], F_SETFL, O_WRONLY);
  UniqueFd write_end(ends[1]);
  auto first = TakeFd(ends[0], "pipe2");
  if (!first.ok()) return first.status();
  auto second = TakeFd(write_end.Release(), "pipe2");
  if (!second.ok()) return second.status();
  return std::pair(std::move(*first), std::move(*second));
}

ssize_t ReadPipe(int read_end, void* buffer, size_t size) {
  return static_cast<ssize_t>(syscall(SYS_read, read_end, buffer, size));
}

void FillPipe(int write_end) { syscall(SYS_write, write_end, "!", 1); }  // full is as good

void EmptyPipe(int read_end) {
  char bytes[256];
  while (syscall(SYS_read, read_end, bytes, sizeof bytes) == sizeof bytes) {
  }
}

Result<UniqueFd> OpenFile(const char* path, int flags, const char* what) {
  return TakeFd(static_cast<int>(syscall(SYS_openat, AT_FDCWD, path, flags | O_CLOEXEC)), what);
}

Result<UniqueFd> OpenNull() { return OpenFile("/dev/null", O_RDWR, "opening /dev/null"); }

}  // namespace mproc::platform
