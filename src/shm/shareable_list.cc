// SPDX-License-Identifier: MIT
#include "shm/shareable_list.hh"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <string>
#include <string_view>

namespace mproc::shm {
namespace {

using Kind = ListItem::Kind;

constexpr size_t kWord = 8;
constexpr size_t kLongestText = 9'999'991;  // a format has 8 letters
constexpr char kTruth[] = "xxxxxxx?", kNil[] = "xxxxxx?x";
enum Code : uint8_t { kNumber = 0, kText = 1, kBytes = 2, kNone = 3 };

Status NoList() { return Status(MPROC_ERROR_PROTOCOL, "the memory holds no list, or a spoilt one"); }

// One more word than they fill, as Python has it; but their bytes count, not their letters: Python cuts texts
// of other than ASCII letters off.
size_t RoomOf(size_t bytes) { return kWord * (bytes / kWord + 1); }

size_t RoomOf(const ListItem& item) { return item.has_bytes() ? RoomOf(item.bytes.size()) : kWord; }

std::string FormatOf(const ListItem& item, size_t room) {
  switch (item.kind) {
    case Kind::kNil:
      return kNil;
    case Kind::kBool:
      return kTruth;
    case Kind::kInt:
      return "q";
    case Kind::kDouble:
      return "d";
    default:
      return std::to_string(room) + "s";
  }
}
Code CodeOf(Kind kind) {
  if (kind == Kind::kNil) return kNone;
  if (kind == Kind::kText) return kText;
  return kind == Kind::kBytes ? kBytes : kNumber;
}

void WriteData(const ListItem& item, std::byte* data, size_t room) {
  if (item.has_bytes()) {
    std::copy(item.bytes.begin(), item.bytes.end(), data);
    std::fill(data + item.bytes.size(), data + room, std::byte{0});
    return;
  }
  std::byte word[kWord] = {};
  if (item.kind == Kind::kBool) word[7] = static_cast<std::byte>(item.number);
  if (item.kind == Kind::kInt) std::memcpy(word, &item.number, kWord);
  if (item.kind == Kind::kDouble) std::memcpy(word, &item.real, kWord);
  std::memcpy(data, word, kWord);
}

void WriteFormat(const ListItem& item, size_t room, std::byte* format, std::byte* code) {
  char text[kWord] = {};
  std::string said = FormatOf(item, room);
  said.copy(text, kWord);
  std::memcpy(format, text, kWord);
  *code = std::byte{CodeOf(item.kind)};
}

int64_t WordAt(std::span<const std::byte> memory, size_t index) {
  int64_t word;
  std::memcpy(&word, memory.data() + index * kWord, kWord);
  return word;
}

// Bytes that a text's format says it has; 0: it is none.
size_t RoomIn(std::string_view format) {
  size_t room = 0;
  auto [end, error] = std::from_chars(format.data(), format.data() + format.size(), room);
  return error == std::errc() && std::string_view(end, format.data() + format.size()) == "s" ? room : 0;
}

}  // namespace

Status CheckItems(const std::vector<ListItem>& items) {
  for (const ListItem& item : items) {
    if (item.bytes.size() > kLongestText)
      return Status(MPROC_ERROR_TOO_LARGE, "a string or bytes of a list have less than 9,999,992 bytes");
  }
  return Status();
}

size_t SizeOfList(const std::vector<ListItem>& items) {
  size_t size = (items.size() + 2) * kWord;
  for (const ListItem& item : items) size += RoomOf(item) + kWord + 1;
  return size;
}

void WriteList(const std::vector<ListItem>& items, std::byte* memory) {
  auto put_word = [&](size_t index, size_t word) { std::memcpy(memory + index * kWord, &word, kWord); };
  put_word(0, items.size());
  size_t at = 0;
  for (size_t i = 0; i < items.size(); i++) {
    put_word(1 + i, at);
    at += RoomOf(items[i]);
  }
  put_word(1 + items.size(), at);
  std::byte* data = memory + (items.size() + 2) * kWord;
  std::byte *format = data + at, *code = format + items.size() * kWord;
  for (const ListItem& item : items) {
    size_t room = RoomOf(item);
    WriteData(item, data, room);
    WriteFormat(item, room, format, code);
    data += room;
    format += kWord;
    code++;
  }
}

Result<uint64_t> ShareableList::Count() const {
  // Each item takes 25 bytes at least, of which 17 are not in the data.
  int64_t count = memory_.size() >= 2 * kWord ? WordAt(memory_, 0) : -1;
  if (count < 0 || static_cast<uint64_t>(count) > (memory_.size() - 2 * kWord) / (3 * kWord + 1))
    return NoList();
  return static_cast<uint64_t>(count);
}

Result<ShareableList::Place> ShareableList::Find(uint64_t index) const {
  auto count = Count();
  if (!count.ok()) return count.status();
  size_t n = *count;
  if (index >= n) return Status(MPROC_ERROR_INVALID_ARGUMENT, "the list has no item of this index");
  int64_t begin = WordAt(memory_, 1 + index), end = WordAt(memory_, 2 + index), all = WordAt(memory_, 1 + n);
  size_t room = memory_.size() - (n + 2) * kWord - n * (kWord + 1);  // that the data may take
  constexpr int64_t kLeast = kWord;
  bool good = begin >= 0 && end >= kLeast && begin <= end - kLeast && end <= all &&
              static_cast<uint64_t>(all) <= room;
  if (!good) return NoList();
  std::byte* data = memory_.data() + (n + 2) * kWord;
  std::byte* formats = data + all;
  return Place{data + begin, static_cast<size_t>(end - begin), formats + index * kWord,
               formats + n * kWord + index};
}

Result<ListItem> ShareableList::Get(uint64_t index) const {
  auto place = Find(index);
  if (!place.ok()) return place.status();
  char text[kWord];
  std::memcpy(text, place->format, kWord);
  std::string_view format(text, kWord);
  format = format.substr(0, format.find('\0'));
  auto code = static_cast<uint8_t>(*place->code);
  std::byte word[kWord];
  std::memcpy(word, place->data, kWord);
  ListItem item;
  if (code == kNone) return item;
  if (format == kTruth) {
    item.kind = Kind::kBool;
    item.number = word[7] != std::byte{0};
    return item;
  }
  if (format == "q" || format == "d") {
    item.kind = format == "q" ? Kind::kInt : Kind::kDouble;
    std::memcpy(&item.number, word, kWord);
    std::memcpy(&item.real, word, kWord);
    return item;
  }
  size_t room = RoomIn(format);
  if (room == 0 || room > place->room || (code != kText && code != kBytes)) return NoList();
  item.kind = code == kText ? Kind::kText : Kind::kBytes;
  item.bytes.assign(place->data, place->data + room);
  while (!item.bytes.empty() && item.bytes.back() == std::byte{0}) item.bytes.pop_back();
  return item;
}

Status ShareableList::Set(uint64_t index, const ListItem& item) {
  auto place = Find(index);
  if (!place.ok()) return place.status();
  if (item.bytes.size() > place->room) {
    return Status(MPROC_ERROR_TOO_LARGE,
                  "the item has room for " + std::to_string(place->room) + " bytes, and no more");
  }
  WriteFormat(item, place->room, place->format, place->code);
  WriteData(item, place->data, place->room);
  return Status();
}

}  // namespace mproc::shm
