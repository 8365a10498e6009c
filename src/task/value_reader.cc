// SPDX-License-Identifier: MIT
//
// Takes encoded bytes apart, which may be anything and may even change meanwhile: each tag, count and length
// is copied once, checked, and only the copy is used. No count is believed beyond the bytes that are left for
// it: the entries that lists and maps have announced and that are still to come need a byte each, which no
// other may count on. So there are never more nodes than bytes.
//
// The entries of one list or map lie side by side in nodes_, so that each is found by its index; their own
// entries come later. The depth is bounded, so the parser may call itself.
#include <algorithm>
#include <bit>
#include <cstring>

#include "task/archive.hh"
#include "task/value.hh"

namespace mproc::task {
namespace {

struct Bad {
  const char* why;
};

bool IsNumber(int32_t kind) { return kind >= MPROC_VALUE_BOOL && kind <= MPROC_VALUE_DOUBLE; }

}  // namespace

size_t ElementSize(int32_t type) {
  switch (type) {
    case MPROC_ELEMENT_INT8:
    case MPROC_ELEMENT_UINT8:
      return 1;
    case MPROC_ELEMENT_INT16:
    case MPROC_ELEMENT_UINT16:
      return 2;
    case MPROC_ELEMENT_INT32:
    case MPROC_ELEMENT_UINT32:
    case MPROC_ELEMENT_FLOAT32:
      return 4;
    case MPROC_ELEMENT_INT64:
    case MPROC_ELEMENT_UINT64:
    case MPROC_ELEMENT_FLOAT64:
      return 8;
    default:
      return 0;
  }
}

bool IsUtf8(std::string_view text) {
  auto* at = reinterpret_cast<const unsigned char*>(text.data());
  const unsigned char* end = at + text.size();
  while (at != end) {
    if (uint64_t eight; end - at >= 8 && (std::memcpy(&eight, at, 8), (eight & 0x8080808080808080) == 0)) {
      at += 8;
      continue;
    }
    unsigned lead = *at++;
    if (lead < 0x80) continue;
    // Of the byte after the lead only a part of 80..BF is allowed where the form would be longer than needed,
    // a surrogate or beyond U+10FFFF.
    int more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
    unsigned low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    unsigned high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    if (lead < 0xc2 || lead > 0xf4 || end - at < more || *at < low || *at > high) return false;
    for (at++; --more > 0; at++) {
      if ((*at & 0xc0) != 0x80) return false;
    }
  }
  return true;
}

std::string KeyOf(ByteView encoded) {
  std::string key(AsText(encoded));
  // The same number as INT and as UINT is one key.
  bool is_uint = key.size() == 9 && key[0] == MPROC_VALUE_UINT;
  if (is_uint && !(key[8] & 0x80)) key[0] = MPROC_VALUE_INT;
  return key;
}

class ValueReader::Parser {
 public:
  Parser(ByteView bytes, std::vector<Node>* nodes) : all_(bytes), archive_(bytes), nodes_(*nodes) {}

  void ParseAll() {
    nodes_.resize(1);
    Parse(0, 0);
    if (left() != 0) throw Bad{"there are bytes after its end"};
  }
  size_t place() const { return all_.size() - left(); }

 private:
  size_t left() const { return archive_.rest().size(); }

  template <typename T>
  T Take() {
    T number;
    if (sizeof number > left()) throw Bad{"it is cut off"};
    archive_(number);
    return number;
  }

  // Passes over bytes.
  uint64_t Skip(uint64_t count, size_t size) {
    if (count > left() / size) throw Bad{"a length exceeds the bytes that are there"};
    uint64_t at = place();
    archive_.skip(count * size);
    return at;
  }

  void Parse(uint64_t index, size_t depth) {
    Node node{Take<uint8_t>(), 0, 0, 0};
    switch (node.kind) {
      case MPROC_VALUE_NIL:
        break;
      case MPROC_VALUE_BOOL:
        node.at = Take<uint8_t>();
        if (node.at > 1) throw Bad{"a boolean is neither 0 nor 1"};
        break;
      case MPROC_VALUE_INT:
      case MPROC_VALUE_UINT:
      case MPROC_VALUE_DOUBLE:
        node.at = Take<uint64_t>();
        break;
      case MPROC_VALUE_STRING:
      case MPROC_VALUE_BYTES:
        node.count = Take<uint64_t>();
        node.at = Skip(node.count, 1);
        if (node.kind == MPROC_VALUE_STRING && !IsUtf8(AsText(all_.subspan(node.at, node.count)))) {
          throw Bad{"a string is not UTF-8"};
        }
        break;
      case MPROC_VALUE_ARRAY:
        ParseArray(&node);
        break;
      case MPROC_VALUE_LIST:
      case MPROC_VALUE_MAP:
        ParseEntries(&node, depth + 1);
        break;
      default:
        throw Bad{"there is no such kind of value"};
    }
    nodes_[index] = node;
  }

  void ParseArray(Node* node) {
    node->element = Take<uint8_t>();
    size_t size = ElementSize(node->element);
    if (size == 0) throw Bad{"there is no such type of elements"};
    node->count = Take<uint64_t>();
    while (place() % kArrayAlignment) {
      if (Take<uint8_t>() != 0) throw Bad{"the filling before the elements is not 0"};
    }
    node->at = Skip(node->count, size);
  }

  void ParseEntries(Node* node, size_t depth) {
    if (depth > kDeepest) throw Status(MPROC_ERROR_TOO_DEEP);
    node->count = Take<uint64_t>();
    bool is_map = node->kind == MPROC_VALUE_MAP;
    uint64_t spare = (left() - std::min<uint64_t>(left(), owed_)) / (is_map ? 2 : 1);
    if (node->count > spare) throw Bad{"a count exceeds the bytes that are there"};
    uint64_t values = is_map ? node->count * 2 : node->count;
    node->at = nodes_.size();
    nodes_.resize(node->at + values);
    owed_ += values;
    std::vector<std::string> keys;
    for (uint64_t i = 0; i < values; i++) {
      owed_--;
      size_t begin = place();
      Parse(node->at + i, depth);
      if (!is_map || i % 2) continue;
      if (nodes_[node->at + i].kind >= MPROC_VALUE_LIST) throw Bad{"a key is a list, a map or an array"};
      keys.push_back(KeyOf(all_.subspan(begin, place() - begin)));
    }
    std::sort(keys.begin(), keys.end());
    if (std::adjacent_find(keys.begin(), keys.end()) != keys.end()) throw Bad{"a map has a key twice"};
  }

  ByteView all_;
  MemoryInput archive_;
  std::vector<Node>& nodes_;
  uint64_t owed_ = 0;  // values that were announced and have not begun
};

Status ValueReader::Open(ByteView bytes) {
  Clear();
  Parser parser(bytes, &nodes_);
  Status status;
  try {
    parser.ParseAll();
    bytes_ = bytes;
  } catch (const Bad& bad) {
    status = Status(MPROC_ERROR_BAD_VALUE, "the bytes are not an encoded value: " + std::string(bad.why) +
                                               ", at byte " + std::to_string(parser.place()));
  } catch (const Status& thrown) {
    status = thrown;
  } catch (...) {
    Clear();
    throw;
  }
  if (!status.ok()) Clear();
  return status;
}

void ValueReader::Clear() {
  bytes_ = {};
  std::vector<Node>().swap(nodes_);
}

ByteView ValueReader::BytesOf(const Node& node) const {
  if (IsNumber(node.kind) || node.kind == MPROC_VALUE_NIL) return {};
  size_t size = node.kind == MPROC_VALUE_ARRAY ? ElementSize(node.element) : 1;
  return bytes_.subspan(node.at, node.count * size);
}

uint64_t ValueReader::Find(const Node& map, std::string_view key) const {
  for (uint64_t i = 0; i < map.count; i++) {
    const Node& at = nodes_[map.at + 2 * i];
    if (at.kind == MPROC_VALUE_STRING && AsText(BytesOf(at)) == key) return map.at + 2 * i + 1;
  }
  return 0;
}

}  // namespace mproc::task
