// SPDX-License-Identifier: MIT
// Collects the results of a chunk's items, one after the other, and writes them as chunk.hh says. Kept from
// chunk to chunk, so that its memory is made once. Not thread-safe.
#pragma once

#include <memory>
#include <vector>

#include "base/bytes.hh"
#include "task/chunk.hh"

namespace mproc::task {

class ItemResultsWriter {
 public:
  void Clear();
  // Room for the next result, `size` bytes at least; what lies there stays as it grows.
  std::byte* Room(size_t size);
  std::byte* place() const { return values_.get() + used_; }
  size_t room() const { return capacity_ - used_; }
  // The next result is the first `size` bytes of that room.
  void Add(size_t size) {
    if (size != size_) NoteSize(size);
    used_ += size;
    if (size_ == kVaried) ends_.push_back(used_);
    done_++;
  }
  void AddFailed(ByteView error);

  size_t size() const;
  // Writes size() bytes.
  void Write(std::byte* to) const;
  // Gives memory back that only an uncommon chunk needs.
  void Shrink();

 private:
  void NoteSize(size_t size);

  std::unique_ptr<std::byte[]> values_;
  size_t used_ = 0;
  size_t capacity_ = 0;
  uint64_t done_ = 0;
  uint64_t size_ = 0;             // of all so far, or kVaried
  std::vector<uint64_t> ends_;    // if kVaried
  std::vector<uint64_t> failed_;  // their places
};

}  // namespace mproc::task
