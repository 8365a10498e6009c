// SPDX-License-Identifier: MIT
#include "shm/shareable_list.hh"

#include <algorithm>
#include <charconv>
#include <cstring>

namespace mproc::shm {
namespace {

constexpr size_t kWord = 8;
constexpr size_t kLongestText = 9'999'991;  // a format has 8 letters
constexpr char kTruth[] = "xxxxxxx?", kNil[] = "xxxxxx?x";
enum Code : uint8_t { kNumber = 0, kText = 1, kBytes = 2, kNone = 3 };

Status NoList() { return Status(MPROC_ERROR_PROTOCOL, "the memory holds no list, or a spoilt one"); }

// One more word than they fill, as Python has it; but their bytes count, not their letters: Python cuts texts
// of other than ASCII letters off.
size_t RoomOf(size_t bytes) { return kWord * (bytes / kWord + 1); }

ByteView BytesOf(const ListItem& item) {
  if (const Text* text = std::get_if<Text>(&item)) return AsBytes(text->utf8);
  if (const auto* bytes = std::get_if<std::vector<std::byte>>(&item)) return *bytes;
  return {};
}
bool HasBytes(const ListItem& item) {
  return std::holds_alternative<Text>(item) || std::holds_alternative<std::vector<std::byte>>(item);
}
size_t RoomOf(const ListItem& item) { return HasBytes(item) ? RoomOf(BytesOf(item).size()) : kWord; }

std::string FormatOf(const ListItem& item, size_t room) {
  if (std::holds_alternative<std::monostate>(item)) return kNil;
  if (std::holds_alternative<bool>(item)) return kTruth;
  if (std::holds_alternative<int64_t>(item)) return "q";
  if (std::holds_alternative<double>(item)) return "d";
  return std::to_string(room) + "s";
}
Code CodeOf(const ListItem& item) {
  if (std::holds_alternative<std::monostate>(item)) return kNone;
  if (std::holds_alternative<Text>(item)) return kText;
  return HasBytes(item) ? kBytes : kNumber;
}

void WriteData(const ListItem& item, std::byte* data, size_t room) {
  std::byte word[kWord] = {};
  if (const bool* truth = std::get_if<bool>(&item)) word[7] = std::byte{*truth};
  if (const int64_t* number = std::get_if<int64_t>(&item)) std::memcpy(word, number, kWord);
  if (const double* number = std::get_if<double>(&item)) std::memcpy(word, number, kWord);
  if (!HasBytes(item)) {
    std::memcpy(data, word, kWord);
    return;
  }
  ByteView bytes = BytesOf(item);
  std::copy(bytes.begin(), bytes.end(), data);
  std::fill(data + bytes.size(), data + room, std::byte{0});
}

void WriteFormat(const ListItem& item, size_t room, std::byte* format, std::byte* code) {
  char text[kWord] = {};
  std::string said = FormatOf(item, room);
  said.copy(text, kWord);
  std::memcpy(format, text, kWord);
  *code = std::byte{CodeOf(item)};
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
    if (BytesOf(item).size() > kLongestText)
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
  if (code == kNone) return ListItem(std::monostate());
  if (format == kTruth) return ListItem(word[7] != std::byte{0});
  if (format == "q" || format == "d") {
    int64_t number;
    double real;
    std::memcpy(&number, word, kWord);
    std::memcpy(&real, word, kWord);
    return format == "q" ? ListItem(number) : ListItem(real);
  }
  size_t room = RoomIn(format);
  if (room == 0 || room > place->room || (code != kText && code != kBytes)) return NoList();
  std::vector<std::byte> bytes(place->data, place->data + room);
  while (!bytes.empty() && bytes.back() == std::byte{0}) bytes.pop_back();
  if (code == kBytes) return ListItem(std::move(bytes));
  return ListItem(Text{std::string(AsText(bytes))});
}

Status ShareableList::Set(uint64_t index, const ListItem& item) {
  auto place = Find(index);
  if (!place.ok()) return place.status();
  if (BytesOf(item).size() > place->room) {
    return Status(MPROC_ERROR_TOO_LARGE,
                  "the item has room for " + std::to_string(place->room) + " bytes, and no more");
  }
  WriteFormat(item, place->room, place->format, place->code);
  WriteData(item, place->data, place->room);
  return Status();
}

}  // namespace mproc::shm
