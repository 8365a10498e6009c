// SPDX-License-Identifier: MIT
//
// Older kernels give the pages back and say EINTR when any signal comes while they take them. To a host
// that is interrupted more often than that takes, as by a profiler, a large part would never be given whole:
// so then it is taken piece by piece, with the thread's signals held back during each.
#include "platform/file_pages.hh"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <string>

namespace mproc::platform {
namespace {

constexpr size_t kPiece = size_t{16} << 20;

int Take(int fd, size_t offset, size_t size) {
  int flags = FALLOC_FL_KEEP_SIZE;
  return fallocate(fd, flags, static_cast<off_t>(offset), static_cast<off_t>(size)) == 0 ? 0 : errno;
}

int TakePiece(int fd, size_t offset, size_t size) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int why;
  do why = Take(fd, offset, size);
  while (why == EINTR);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return why;
}

}  // namespace

size_t AtMostAllowed(size_t size) {
  rlimit limit;
  if (getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur >= size) return size;
  return limit.rlim_cur & ~size_t{4095};
}

Status GiveFileSize(int fd, size_t size) {
  bool allowed = AtMostAllowed(size) == size;
  if (allowed && ftruncate(fd, static_cast<off_t>(size)) == 0) return Status();
  return Status::System("sizing shared memory", allowed ? errno : EFBIG);
}

Status TakeFilePages(int fd, size_t offset, size_t size) {
  int why = Take(fd, offset, size);
  if (why == EINTR) {
    why = 0;
    for (size_t done = 0; done < size && why == 0; done += kPiece)
      why = TakePiece(fd, offset + done, std::min(kPiece, size - done));
  }
  if (why == 0 || why == EOPNOTSUPP || why == ENOSYS) return Status();
  return Status::System("reserving " + std::to_string(size) + " bytes of shared memory", why);
}

}  // namespace mproc::platform
