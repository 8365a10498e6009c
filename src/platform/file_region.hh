// SPDX-License-Identifier: MIT
// Parts of a sparse memory file: a file of more bytes than anybody will use, whose pages are taken and given
// back part by part. Offsets and sizes are multiples of the page.
#pragma once

#include "platform/shared_memory.hh"

namespace mproc::platform {

// Takes the pages of a part, so that touching them needs no luck later.
Status ReserveRegion(int fd, size_t offset, size_t size);
// Gives them back; they read as zero.
void ReleaseRegion(int fd, size_t offset, size_t size);
// Of the whole file, and of the pages that it has; 0 if that cannot be told.
size_t FileSize(int fd);
size_t PagesSize(int fd);

// Owns the mapping of a part, to read and to write. Movable, not thread-safe.
class MappedRegion {
 public:
  MappedRegion() = default;
  MappedRegion(MappedRegion&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  MappedRegion& operator=(MappedRegion&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~MappedRegion();

  // A child that the host forks does not get it.
  static Result<MappedRegion> Map(int fd, size_t offset, size_t size);
  // Makes one that was mapped so larger, which may move it.
  Status Extend(int fd, size_t offset, size_t size);
  // Has pages that are about to be written ready; if it cannot, they come when they are touched.
  void Populate(size_t from, size_t to);

  std::byte* data() const { return data_; }
  size_t size() const { return size_; }

 private:
  std::byte* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace mproc::platform
