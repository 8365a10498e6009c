// SPDX-License-Identifier: MIT
// A list of numbers, texts and bytes in shared memory, as Python's ShareableList lays it out: items may be
// replaced in place, their number and the room of each text never change.
//
//   int64          number of items, n
//   int64[n + 1]   where each begins in the data, and where the data ends
//   data           8 bytes of a number, true, false or nil; texts and bytes with zeros behind them
//   char[n][8]     the format of each: "q", "d", "xxxxxxx?", "xxxxxx?x" or the room of a text, as "16s"
//   char[n]        what to make of it: 0 a number or a truth, 1 text, 2 bytes, 3 nil
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/bytes.hh"
#include "base/status.hh"

namespace mproc::shm {

struct ListItem {
  enum class Kind : uint8_t { kNil, kBool, kInt, kDouble, kText, kBytes };

  bool has_bytes() const { return kind >= Kind::kText; }

  Kind kind = Kind::kNil;
  int64_t number = 0;  // of kBool, 0 or 1; of kInt
  double real = 0;
  std::vector<std::byte> bytes;  // UTF-8, of kText
};

// TOO_LARGE: a text or bytes whose room no format can tell.
Status CheckItems(const std::vector<ListItem>& items);
// Bytes that such a list takes.
size_t SizeOfList(const std::vector<ListItem>& items);
// Writes a list into memory of that size.
void WriteList(const std::vector<ListItem>& items, std::byte* memory);

// Looks at the memory of a segment, which other processes may change meanwhile: nothing that is read there is
// believed. Nothing keeps processes apart: an item that is read while it is replaced may be half of each.
// All but the constructor return PROTOCOL: it is no such list.
class ShareableList {
 public:
  explicit ShareableList(std::span<std::byte> memory) : memory_(memory) {}

  Result<uint64_t> Count() const;
  // INVALID_ARGUMENT: it has no item of this index. Zeros at the end of texts and bytes are not the item's.
  Result<ListItem> Get(uint64_t index) const;
  // TOO_LARGE: a text or bytes that have no room; nothing was changed.
  Status Set(uint64_t index, const ListItem& item);

 private:
  struct Place {
    std::byte* data;
    size_t room;
    std::byte* format;  // of 8 bytes
    std::byte* code;
  };
  Result<Place> Find(uint64_t index) const;

  const std::span<std::byte> memory_;
};

}  // namespace mproc::shm
