// SPDX-License-Identifier: MIT
#include "task/chunk.hh"

namespace mproc::task {

bool ItemReader::Open(ByteView chunk) {
  next_ = 0;
  if (chunk.size() < sizeof head_) return false;
  std::memcpy(&head_, chunk.data(), sizeof head_);
  rest_ = chunk.subspan(sizeof head_);
  uint64_t size = head_.input_stride;
  if (size != kVaried) return size == 0 || head_.count <= rest_.size() / size;
  if (rest_.size() < sizeof(uint64_t) || head_.count > rest_.size() / sizeof(uint64_t) - 1) return false;
  offsets_ = rest_.first((head_.count + 1) * sizeof(uint64_t));
  rest_ = rest_.subspan(offsets_.size());
  return true;
}

bool ItemReader::ReadSize(uint64_t* size) const {
  uint64_t from, to;
  std::memcpy(&from, offsets_.data() + next_ * sizeof from, sizeof from);
  std::memcpy(&to, offsets_.data() + (next_ + 1) * sizeof to, sizeof to);
  if (to < from || to - from > rest_.size()) return false;
  *size = to - from;
  return true;
}

bool ItemResults::Open(ByteView bytes, uint64_t most) {
  ItemResultsHead head;
  if (bytes.size() < sizeof head) return false;
  std::memcpy(&head, bytes.data(), sizeof head);
  uint64_t words = (bytes.size() - sizeof head) / sizeof(uint64_t);
  if (head.chunk.done > most || head.chunk.failed > head.chunk.done || head.chunk.failed > words)
    return false;
  if (head.size == kVaried && head.chunk.done > words - head.chunk.failed) return false;
  *this = Reopen(bytes);
  uint64_t before = 0;
  for (uint64_t i = 0; i < ends_.size() / sizeof(uint64_t); i++) {
    uint64_t end = EndOf(i);
    if (end < before || end > values_.size()) return false;
    before = end;
  }
  for (uint64_t i = 0; i < failed(); i++) {
    uint64_t place = Word(failed_, i);
    if (place >= done() || (i > 0 && place <= Word(failed_, i - 1))) return false;
  }
  return head.size == kVaried || head.size == 0 || done() <= values_.size() / head.size;
}

bool ItemResults::FindFailed(uint64_t index) const {
  uint64_t low = 0, high = failed();
  while (low < high) {
    uint64_t middle = (low + high) / 2;
    uint64_t place = Word(failed_, middle);
    if (place == index) return true;
    if (place < index) low = middle + 1;
    if (place > index) high = middle;
  }
  return false;
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
