// SPDX-License-Identifier: MIT
// What a task slot asks for, and what a result slot answers: the words that host and worker share.
#pragma once

#include <cstddef>
#include <cstdint>

namespace mproc::task {

enum class Kind : uint8_t {
  kSingle = 0,  // the payload is the input of one call
  kItems = 1,   // a chunk of byte items (chunk.hh)
  kArray = 2,   // a chunk of a fixed-stride array (chunk.hh)
  kBlock = 3    // as kSingle, in memory that both sides write
};

enum class Answer : uint32_t {
  kValue = 0,   // the bytes are the value, or the results of the chunk
  kError = 1,   // the bytes are an encoded TaskError
  kInPlace = 2  // the value is in the memory of the payload: offset and size there
};

// Function ids from here on are a pool's own: they stand for a function of its table and bytes bound to it.
inline constexpr uint32_t kFirstBound = uint32_t{1} << 31;
inline constexpr bool IsBound(uint32_t function) { return function >= kFirstBound; }

// Payloads have 64-bit sizes; this is only where a size stops being believable.
inline constexpr uint64_t kLargestPayload = uint64_t{1} << 46;

}  // namespace mproc::task
