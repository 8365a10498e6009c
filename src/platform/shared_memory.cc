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
#include "platform/memory_left.hh"

namespace mproc::platform {
namespace {

constexpr int kSeals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;

// The system does not refuse memory that it has not got but ends processes to find some. So it is asked
// first: always when much is wanted or little is left, else after every so many bytes.
constexpr uint64_t kUnasked = 16 << 20;
constexpr uint64_t kSpared = 2 << 20;  // for everything else, page tables among it
std::atomic<uint64_t> g_unasked{kUnasked};

bool CanBeHad(uint64_t size) {
  uint64_t known = g_unasked.load(std::memory_order_relaxed);
  if (size <= known) {
    g_unasked.store(known - size, std::memory_order_relaxed);  // a guess: others may be faster
    return true;
  }
  uint64_t left = MemoryLeft(), wanted = size + size / 64 + kSpared;
  if (left == UINT64_MAX) return true;
  g_unasked.store(left > wanted ? std::min(kUnasked, (left - wanted) / 4) : 0, std::memory_order_relaxed);
  return wanted <= left;
}

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

Result<SharedMemory> SharedMemory::Create(const char* name, size_t size, Peer peer) {
  CancellationOff no_cancel;  // on the path of large payloads
  SharedMemory memory;
  memory.size_ = (size + 4095) & ~size_t{4095};
  if (!CanBeHad(size)) {
    return Status(MPROC_ERROR_OUT_OF_MEMORY,
                  "there is no memory for " + std::to_string(size) + " bytes of shared memory");
  }
  auto fd = TakeFd(memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING), "memfd_create");
  if (!fd.ok()) return fd.status();
  memory.fd_ = std::move(*fd);
  for (;;) {
    if (fallocate(memory.fd_.get(), 0, 0, static_cast<off_t>(memory.size_)) == 0) break;
    if (errno == EINTR) continue;
    if (errno != EOPNOTSUPP && errno != ENOSYS) {
      return Status::System("reserving " + std::to_string(memory.size_) + " bytes of shared memory", errno);
    }
    if (ftruncate(memory.fd_.get(), static_cast<off_t>(memory.size_)) != 0) {
      return Status::System("sizing shared memory", errno);
    }
    break;
  }
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
