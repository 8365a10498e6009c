// SPDX-License-Identifier: MIT
#include "task/chunk.hh"

namespace mproc::task {

bool ItemReader::Open(ByteView chunk) {
  if (chunk.size() < sizeof head_) return false;
  std::memcpy(&head_, chunk.data(), sizeof head_);
  chunk = chunk.subspan(sizeof head_);
  if (chunk.size() < sizeof(uint64_t) || head_.count > chunk.size() / sizeof(uint64_t) - 1) return false;
  offsets_ = chunk.first((head_.count + 1) * sizeof(uint64_t));
  rest_ = chunk.subspan(offsets_.size());
  next_ = 0;
  return true;
}

bool ItemReader::Next(ByteView* item) {
  if (next_ >= head_.count) return false;
  uint64_t from, to;
  std::memcpy(&from, offsets_.data() + next_ * sizeof from, sizeof from);
  std::memcpy(&to, offsets_.data() + (next_ + 1) * sizeof to, sizeof to);
  if (to < from || to - from > rest_.size()) return false;
  *item = rest_.first(to - from);
  rest_ = rest_.subspan(to - from);
  next_++;
  return true;
}

bool ItemResultReader::Open(ByteView result) {
  if (result.size() < sizeof head_) return false;
  std::memcpy(&head_, result.data(), sizeof head_);
  rest_ = result.subspan(sizeof head_);
  return head_.done <= rest_.size() / sizeof(uint64_t);
}

bool ItemResultReader::Next(ByteView* bytes, bool* failed) {
  uint64_t word;
  if (rest_.size() < sizeof word) return false;
  std::memcpy(&word, rest_.data(), sizeof word);
  rest_ = rest_.subspan(sizeof word);
  uint64_t size = word / 2;
  if (size > rest_.size()) return false;
  *failed = word % 2;
  *bytes = rest_.first(size);
  rest_ = rest_.subspan(size);
  return true;
}

bool ReadArrayResult(ByteView result, uint64_t count, uint64_t output_stride, ArrayResult* out) {
  ChunkResultHead head;
  if (result.size() < sizeof head) return false;
  std::memcpy(&head, result.data(), sizeof head);
  result = result.subspan(sizeof head);
  if (head.done > count || (head.failed ? head.done >= count : head.done != count)) return false;
  if (output_stride && head.done > result.size() / output_stride) return false;
  out->done = head.done;
  out->failed = head.failed != 0;
  out->outputs = result.first(head.done * output_stride);
  out->error = result.subspan(out->outputs.size());
  return true;
}

}  // namespace mproc::task
