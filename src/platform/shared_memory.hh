// SPDX-License-Identifier: MIT
// Nameless shared memory: a memory file with its pages given and its size sealed, and a mapping of it.
#pragma once

#include <cstddef>

#include "platform/fd.hh"

namespace mproc::platform {

// Whether memory is taken when it is made or when it is first touched.
enum class Pages { kReserved, kLater };

// Owns one mapping and, until CloseFd, the descriptor behind it. Movable, not thread-safe.
class SharedMemory {
 public:
  SharedMemory() = default;
  SharedMemory(SharedMemory&& other) noexcept;
  SharedMemory& operator=(SharedMemory&& other) noexcept;
  ~SharedMemory() { Unmap(); }

  enum class Peer { kWrites, kReads };

  // Makes a memory file of `size` bytes, rounded up to pages. Unless they are to come later, its
  // pages are reserved, so that a lack of memory is an error here and no SIGBUS later; its size is sealed, so
  // that no peer can take them away; and so is its content, where the system can do that, if the peer only
  // reads. A child that the host forks does not get the mapping.
  static Result<SharedMemory> Create(const char* name, size_t size, Peer peer,
                                     Pages pages = Pages::kReserved);
  // The same for the first `size` bytes of a file of so many, or as many as files may have here; the others
  // have no pages yet (platform/file_region.hh).
  static Result<SharedMemory> CreateSparse(const char* name, size_t size, size_t file_size);

  // Maps a memory file that a peer made. With `distrust` it must be sealed and as large as it says.
  static Result<SharedMemory> Adopt(UniqueFd fd, size_t size, bool distrust, bool writable);
  // The same with all that is there, sealed, to read and to write.
  static Result<SharedMemory> AdoptWhole(UniqueFd fd);

  std::byte* data() const { return data_; }
  size_t size() const { return size_; }
  int fd() const { return fd_.get(); }
  explicit operator bool() const { return data_ != nullptr; }
  void CloseFd() { fd_.Reset(); }
  UniqueFd GiveFd() { return std::move(fd_); }

 private:
  static Result<SharedMemory> Make(const char* name, size_t size, size_t file_size, Peer peer, Pages pages);
  Status Map(bool writable);
  void Unmap();

  UniqueFd fd_;
  std::byte* data_ = nullptr;
  size_t size_ = 0;
};

// A range of addresses reserved for ever, given pages bit by bit; never unmapped, so that a stale pointer
// into it can be looked at. `Reserve` tries `size` and halves it down to 1 MiB.
class AddressRange {
 public:
  static AddressRange Reserve(size_t size);
  // Makes [offset, offset + size) usable; contents are zero. Page-aligned.
  bool Commit(size_t offset, size_t size);
  // Gives the pages back; they read as zero and can be used again.
  void Discard(size_t offset, size_t size);
  std::byte* base() const { return base_; }
  size_t size() const { return size_; }

 private:
  std::byte* base_ = nullptr;
  size_t size_ = 0;
};

}  // namespace mproc::platform
