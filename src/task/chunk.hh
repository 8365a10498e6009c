// SPDX-License-Identifier: MIT
// How the items of a map's chunk lie in one payload, and their results in one result.
//
//   items    head, (count + 1) x u64 offset from any origin unless all are of one size, the items one after
//            the other
//   array    head, count x input_stride bytes
//   results of items   head, done x u64 end (counted from the first byte) unless all are of one size,
//                      failed x u64 place of a failed one, ascending, the bytes (a failed one: a TaskError)
//   results of array   head, `done` x output_stride bytes; if an item failed, then its TaskError
//
// Read with every length checked against what is there.
#pragma once

#include <cstdint>
#include <cstring>

#include "base/bytes.hh"

namespace mproc::task {

inline constexpr uint64_t kVaried = UINT64_MAX;  // instead of a size: not all have the same

struct ChunkHead {
  uint64_t first;  // index of the chunk's first item in the map
  uint64_t count;
  uint64_t input_stride;   // of an array; items: the size of each, or kVaried
  uint64_t output_stride;  // array only
  uint64_t keep_going;     // run on after an item failed
  uint64_t reserved;       // so that items of 16 bytes are aligned
};

struct ChunkResultHead {
  uint64_t done;    // items with a result, the failed one included (items), without it (array)
  uint64_t failed;  // how many failed; of an array 1 at most
};

struct ItemResultsHead {
  ChunkResultHead chunk;
  uint64_t size;  // of each result, or kVaried
  uint64_t reserved;
};

// Reads a chunk of items in order.
class ItemReader {
 public:
  // False if the bytes are no such chunk.
  bool Open(ByteView chunk);
  const ChunkHead& head() const { return head_; }
  bool Next(ByteView* item) {
    if (next_ >= head_.count) return false;
    uint64_t size = head_.input_stride;
    if (size == kVaried && !ReadSize(&size)) return false;
    *item = rest_.first(size);
    rest_ = rest_.subspan(size);
    next_++;
    return true;
  }

 private:
  bool ReadSize(uint64_t* size) const;

  ChunkHead head_{};
  ByteView offsets_, rest_;
  uint64_t next_ = 0;
};

// The results of a chunk of items, in any order. A view: the bytes must stay.
class ItemResults {
 public:
  // Checks everything: false if these are no results of at most `most` items. Bytes that a stranger can
  // still change must be copied before.
  bool Open(ByteView bytes, uint64_t most);
  // For bytes that were opened before.
  static ItemResults Reopen(ByteView bytes) {
    ItemResults results;
    std::memcpy(&results.head_, bytes.data(), sizeof results.head_);
    size_t ends = results.head_.size == kVaried ? results.done() * sizeof(uint64_t) : 0;
    size_t failed = results.failed() * sizeof(uint64_t);
    const std::byte* at = bytes.data() + sizeof results.head_;
    results.ends_ = {at, ends};
    results.failed_ = {at + ends, failed};
    results.values_ = {at + ends + failed, bytes.data() + bytes.size()};
    return results;
  }

  uint64_t done() const { return head_.chunk.done; }
  uint64_t failed() const { return head_.chunk.failed; }
  // Below done().
  ByteView at(uint64_t index) const {
    if (head_.size != kVaried) return {values_.data() + index * head_.size, head_.size};
    uint64_t begin = index ? EndOf(index - 1) : 0;
    return {values_.data() + begin, EndOf(index) - begin};
  }
  bool failed_at(uint64_t index) const { return failed() != 0 && FindFailed(index); }

 private:
  uint64_t EndOf(uint64_t index) const { return Word(ends_, index); }
  static uint64_t Word(ByteView words, uint64_t index) {
    uint64_t word;
    std::memcpy(&word, words.data() + index * sizeof word, sizeof word);
    return word;
  }
  bool FindFailed(uint64_t index) const;

  ItemResultsHead head_{};
  ByteView ends_, failed_, values_;
};

// The results of a chunk of an array: outputs of the first `done` items, and the error if one failed.
struct ArrayResult {
  uint64_t done = 0;
  bool failed = false;
  ByteView outputs;
  ByteView error;
};
bool ReadArrayResult(ByteView result, uint64_t count, uint64_t output_stride, ArrayResult* out);

}  // namespace mproc::task
