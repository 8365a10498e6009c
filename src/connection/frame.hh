// SPDX-License-Identifier: MIT
// What stands before each message on the wire, as Python's multiprocessing.connection has it: its length in
// four bytes, signed and big-endian; if that is -1, in the eight bytes that follow, unsigned.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bytes.hh"

namespace mproc::connection {

inline constexpr size_t kShortHeader = 4, kLongHeader = 12;
inline constexpr uint64_t kMostShort = 0x7fffffff;
inline constexpr uint64_t kMostLong = INT64_MAX;

struct FrameHeader {
  std::byte bytes[kLongHeader];
  size_t size;
  ByteView view() const { return {bytes, size}; }
};

inline void PutBigEndian(uint64_t number, size_t size, std::byte* to) {
  for (size_t i = 0; i < size; i++) to[i] = static_cast<std::byte>(number >> 8 * (size - 1 - i));
}
inline uint64_t TakeBigEndian(const std::byte* from, size_t size) {
  uint64_t number = 0;
  for (size_t i = 0; i < size; i++) number = number << 8 | static_cast<uint64_t>(from[i]);
  return number;
}

inline FrameHeader MakeHeader(uint64_t length) {
  FrameHeader header{{}, length > kMostShort ? kLongHeader : kShortHeader};
  if (length <= kMostShort) {
    PutBigEndian(length, 4, header.bytes);
  } else {
    PutBigEndian(0xffffffff, 4, header.bytes);
    PutBigEndian(length, 8, header.bytes + 4);
  }
  return header;
}

struct ReadHeader {
  enum { kMore, kGood, kBad } what;
  uint64_t length;
};

// What the first `size` bytes of a header, 4 or 12, say.
inline ReadHeader ParseHeader(const std::byte* bytes, size_t size) {
  auto first = static_cast<uint32_t>(TakeBigEndian(bytes, 4));
  if (first <= kMostShort) return {ReadHeader::kGood, first};
  if (first != 0xffffffff) return {ReadHeader::kBad, 0};
  if (size < kLongHeader) return {ReadHeader::kMore, 0};
  uint64_t length = TakeBigEndian(bytes + 4, 8);
  return {length <= kMostLong ? ReadHeader::kGood : ReadHeader::kBad, length};
}

}  // namespace mproc::connection
