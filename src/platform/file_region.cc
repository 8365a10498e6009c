// SPDX-License-Identifier: MIT
#include "platform/file_region.hh"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <string>

#include "platform/cancellation.hh"
#include "platform/file_pages.hh"
#include "platform/memory_left.hh"
#include "platform/sanitizer.hh"

namespace mproc::platform {

Status ReserveRegion(int fd, size_t offset, size_t size) {
  CancellationOff no_cancel;
  if (!CanBeHad(size)) {
    return Status(MPROC_ERROR_OUT_OF_MEMORY,
                  "there is no memory for " + std::to_string(size) + " bytes of shared memory");
  }
  return TakeFilePages(fd, offset, size);
}

void ReleaseRegion(int fd, size_t offset, size_t size) {
  CancellationOff no_cancel;
  while (fallocate(fd, FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE, static_cast<off_t>(offset),
                   static_cast<off_t>(size)) != 0 &&
         errno == EINTR) {
  }
}

size_t FileSize(int fd) {
  struct stat info;
  return fstat(fd, &info) == 0 && info.st_size > 0 ? static_cast<size_t>(info.st_size) : 0;
}

size_t PagesSize(int fd) {
  struct stat info;
  return fstat(fd, &info) == 0 && info.st_blocks > 0 ? static_cast<size_t>(info.st_blocks) * 512 : 0;
}

MappedRegion::~MappedRegion() {
  if (data_) munmap(data_, size_);
}

Result<MappedRegion> MappedRegion::Map(int fd, size_t offset, size_t size) {
  void* at = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, static_cast<off_t>(offset));
  if (at == MAP_FAILED) return Status::System("mapping shared memory", errno);
  madvise(at, size, MADV_DONTFORK);
  MappedRegion region;
  region.data_ = static_cast<std::byte*>(at);
  region.size_ = size;
  return region;
}

// A thread sanitizer sees mmap, and not where mremap finds room: what another thread has done with memory
// that lay there would look like a race.
Status MappedRegion::Extend(int fd, size_t offset, size_t size) {
  if (HasThreadSanitizer()) {
    auto mapped = Map(fd, offset, size);
    if (!mapped.ok()) return mapped.status();
    *this = std::move(*mapped);
    return Status();
  }
  void* at = mremap(data_, size_, size, MREMAP_MAYMOVE);
  if (at == MAP_FAILED) return Status::System("mapping shared memory", errno);
  data_ = static_cast<std::byte*>(at);
  size_ = size;
  return Status();
}

void MappedRegion::Populate(size_t from, size_t to) {
  constexpr int kPopulateWrite = 23;  // MADV_POPULATE_WRITE, since Linux 5.14
  (void)madvise(data_ + from, to - from, kPopulateWrite);
}

}  // namespace mproc::platform
