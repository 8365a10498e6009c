// SPDX-License-Identifier: MIT
#include "task/item_results.hh"

#include <algorithm>

namespace mproc::task {
namespace {

constexpr size_t kFirstRoom = 4096;
constexpr size_t kKept = 1 << 20;

std::byte* Put(std::byte* to, const void* from, size_t size) {
  if (size) std::memcpy(to, from, size);
  return to + size;
}

}  // namespace

void ItemResultsWriter::Clear() {
  used_ = 0;
  done_ = 0;
  size_ = 0;
  ends_.clear();
  failed_.clear();
}

std::byte* ItemResultsWriter::Room(size_t size) {
  if (room() < size) {
    size_t wanted = std::max({capacity_ * 2, used_ + size, kFirstRoom});
    auto larger = std::make_unique_for_overwrite<std::byte[]>(wanted);
    if (capacity_) std::memcpy(larger.get(), values_.get(), capacity_);
    values_ = std::move(larger);
    capacity_ = wanted;
  }
  return place();
}

void ItemResultsWriter::NoteSize(size_t size) {
  if (done_ == 0) {
    size_ = size;
  } else if (size_ != kVaried) {
    for (uint64_t i = 1; i <= done_; i++) ends_.push_back(i * size_);
    size_ = kVaried;
  }
}

void ItemResultsWriter::AddFailed(ByteView error) {
  Put(Room(error.size()), error.data(), error.size());
  failed_.push_back(done_);
  Add(error.size());
}

size_t ItemResultsWriter::size() const {
  return sizeof(ItemResultsHead) + (ends_.size() + failed_.size()) * sizeof(uint64_t) + used_;
}

void ItemResultsWriter::Write(std::byte* to) const {
  ItemResultsHead head{{done_, failed_.size()}, size_, 0};
  to = Put(to, &head, sizeof head);
  to = Put(to, ends_.data(), ends_.size() * sizeof(uint64_t));
  to = Put(to, failed_.data(), failed_.size() * sizeof(uint64_t));
  Put(to, values_.get(), used_);
}

void ItemResultsWriter::Shrink() {
  if (capacity_ > kKept) {
    values_.reset();
    capacity_ = 0;
  }
  if (ends_.capacity() * sizeof(uint64_t) > kKept) std::vector<uint64_t>().swap(ends_);
  if (failed_.capacity() * sizeof(uint64_t) > kKept) std::vector<uint64_t>().swap(failed_);
  Clear();
}

}  // namespace mproc::task
