// SPDX-License-Identifier: MIT
#include "platform/shared_memory.hh"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <string>
#include <utility>

#include "platform/cancellation.hh"
#include "platform/file_pages.hh"
#include "platform/memory_left.hh"

namespace mproc::platform {
namespace {

constexpr int kSeals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;

// Kernels and sandboxes without seals refuse them on our own files, too; then a peer's are not asked for.
std::atomic<bool> g_seals_work{true};

}  // namespace

SharedMemory::SharedMemory(SharedMemory&& other) noexcept
    : fd_(std::move(other.fd_)),
      data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)) {}

SharedMemory& SharedMemory::operator=(SharedMemory&& other) noexcept {
  if (this != &other) {
    Unmap();
    fd_ = std::move(other.fd_);
    data_ = std::exchange(other.data_, nullptr);
    size_ = std::exchange(other.size_, 0);
  }
  return *this;
}

void SharedMemory::Unmap() {
  if (data_) munmap(data_, size_);
  data_ = nullptr;
}

Status SharedMemory::Map(bool writable) {
  void* at = mmap(nullptr, size_, writable ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, fd_.get(), 0);
  if (at == MAP_FAILED) return Status::System("mapping shared memory", errno);
  data_ = static_cast<std::byte*>(at);
  madvise(data_, size_, MADV_DONTFORK);
  return Status();
}

Result<SharedMemory> SharedMemory::Create(const char* name, size_t size, Peer peer, Pages pages) {
  return Make(name, size, 0, peer, pages);
}

Result<SharedMemory> SharedMemory::CreateSparse(const char* name, size_t size, size_t file_size) {
  return Make(name, size, AtMostAllowed(file_size), Peer::kWrites, Pages::kReserved);
}

// A file of no size is made as large as its part.
Result<SharedMemory> SharedMemory::Make(const char* name, size_t size, size_t file_size, Peer peer,
                                        Pages pages) {
  CancellationOff no_cancel;  // on the path of large payloads
  SharedMemory memory;
  memory.size_ = (size + 4095) & ~size_t{4095};
  if (pages == Pages::kReserved && !CanBeHad(size)) {
    return Status(MPROC_ERROR_OUT_OF_MEMORY,
                  "there is no memory for " + std::to_string(size) + " bytes of shared memory");
  }
  auto fd = TakeFd(memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING), "memfd_create");
  if (!fd.ok()) return fd.status();
  memory.fd_ = std::move(*fd);
  Status sized = GiveFileSize(memory.fd_.get(), std::max(memory.size_, file_size));
  if (sized.ok() && pages == Pages::kReserved) sized = TakeFilePages(memory.fd_.get(), 0, memory.size_);
  if (!sized.ok()) return sized;
  if (Status mapped = memory.Map(true); !mapped.ok())
    return mapped;  // a mapping made before it is sealed may write
  int kept = peer == Peer::kReads ? F_SEAL_FUTURE_WRITE : 0;
  if ((!kept || fcntl(memory.fd_.get(), F_ADD_SEALS, kSeals | kept) != 0) &&
      fcntl(memory.fd_.get(), F_ADD_SEALS, kSeals) != 0) {
    g_seals_work.store(false, std::memory_order_relaxed);
  }
  return memory;
}

Result<SharedMemory> SharedMemory::Adopt(UniqueFd fd, size_t size, bool distrust, bool writable) {
  SharedMemory memory;
  memory.fd_ = std::move(fd);
  memory.size_ = size;
  if (distrust) {
    if (g_seals_work.load(std::memory_order_relaxed)) {
      int seals = fcntl(memory.fd_.get(), F_GET_SEALS);
      if (seals < 0 || (seals & (F_SEAL_SHRINK | F_SEAL_GROW)) != (F_SEAL_SHRINK | F_SEAL_GROW)) {
        return Status(MPROC_ERROR_PROTOCOL, "a worker sent memory whose size is not sealed");
      }
    }
    struct stat info;
    if (fstat(memory.fd_.get(), &info) != 0 || info.st_size < 0 || static_cast<size_t>(info.st_size) < size) {
      return Status(MPROC_ERROR_PROTOCOL, "a worker sent memory smaller than it says");
    }
  }
  if (size == 0) return Status(MPROC_ERROR_PROTOCOL, "shared memory of no size");
  if (Status mapped = memory.Map(writable); !mapped.ok()) return mapped;
  return memory;
}

Result<SharedMemory> SharedMemory::AdoptWhole(UniqueFd fd) {
  struct stat info;
  if (fstat(fd.get(), &info) != 0 || info.st_size <= 0)
    return Status(MPROC_ERROR_PROTOCOL, "shared memory of no size");
  return Adopt(std::move(fd), static_cast<size_t>(info.st_size), true, true);
}

AddressRange AddressRange::Reserve(size_t size) {
  AddressRange range;
  for (; size >= (size_t{1} << 20); size /= 2) {
    void* at = mmap(nullptr, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at == MAP_FAILED) continue;
    range.base_ = static_cast<std::byte*>(at);
    range.size_ = size;
    break;
  }
  return range;
}

bool AddressRange::Commit(size_t offset, size_t size) {
  if (offset > size_ || size > size_ - offset) return false;
  return mprotect(base_ + offset, size, PROT_READ | PROT_WRITE) == 0;
}

void AddressRange::Discard(size_t offset, size_t size) { madvise(base_ + offset, size, MADV_DONTNEED); }

}  // namespace mproc::platform
