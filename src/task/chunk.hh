// SPDX-License-Identifier: MIT
// How the items of a map's chunk lie in one payload, and their results in one result.
//
//   items    head, (count + 1) x u64 offset from any origin, the items one after the other
//   array    head, count x input_stride bytes
//   results of items   head, then per item: u64 (size * 2 + failed), bytes (a failed one: a TaskError)
//   results of array   head, `done` x output_stride bytes; if an item failed, then its TaskError
//
// Read with every length checked against what is there.
#pragma once

#include <cstdint>
#include <cstring>

#include "base/bytes.hh"

namespace mproc::task {

struct ChunkHead {
  uint64_t first;  // index of the chunk's first item in the map
  uint64_t count;
  uint64_t input_stride;   // array only
  uint64_t output_stride;  // array only
  uint64_t keep_going;     // run on after an item failed
};

struct ChunkResultHead {
  uint64_t done;    // items with a result, the failed one included (items), without it (array)
  uint64_t failed;  // 1 if an item failed
};

// Reads a chunk of items in order.
class ItemReader {
 public:
  // False if the bytes are no such chunk.
  bool Open(ByteView chunk);
  const ChunkHead& head() const { return head_; }
  bool Next(ByteView* item);

 private:
  ChunkHead head_{};
  ByteView offsets_, rest_;
  uint64_t next_ = 0;
};

// Reads the results of a chunk of items in order.
class ItemResultReader {
 public:
  bool Open(ByteView result);
  uint64_t done() const { return head_.done; }
  bool Next(ByteView* bytes, bool* failed);

 private:
  ChunkResultHead head_{};
  ByteView rest_;
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
