// SPDX-License-Identifier: MIT
// Values: nil, booleans, numbers, strings, bytes, lists, maps and typed arrays, as bytes that any language
// can read (docs/wire-format.md). ValueWriter makes the bytes from front to back; ValueReader checks bytes of
// any origin and then answers questions about them. Neither is thread-safe.
#pragma once

#include <mproc/value.h>

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hh"
#include "base/status.hh"

namespace mproc {
class memory_output;
}

namespace mproc::task {

inline constexpr size_t kDeepest = 100;       // lists and maps inside one another
inline constexpr size_t kArrayAlignment = 8;  // of an array's elements, counted from the first byte

// Bytes of an element of a typed array; 0 if there is no such type.
size_t ElementSize(int32_t type);
bool IsUtf8(std::string_view text);
// The encoding of a key in a form in which equal keys, and they only, have equal bytes. Needs a kind that can
// be one.
std::string KeyOf(ByteView encoded);

class ValueWriter {
 public:
  ValueWriter();
  ~ValueWriter();
  ValueWriter(const ValueWriter&) = delete;
  ValueWriter& operator=(const ValueWriter&) = delete;

  Status PutNil();
  Status PutBool(bool value);
  Status PutInt(int64_t value);
  Status PutUint(uint64_t value);
  Status PutDouble(double value);
  Status PutString(std::string_view text);
  Status PutBytes(ByteView bytes);
  Status PutArray(int32_t type, const void* elements, uint64_t count);
  Status Begin(int32_t kind);  // of a list or a map
  Status End();

  bool empty() const { return bytes().empty(); }
  // True if the bytes are one whole value.
  bool complete() const { return !empty() && open_.empty(); }
  ByteView bytes() const;
  void Clear();

 private:
  // A list or map that has begun.
  struct Open {
    size_t count_at;  // where its count is to be written
    bool is_map = false;
    uint64_t values = 0;         // keys count, too
    std::set<std::string> keys;  // as KeyOf gives them
  };

  // Writes one more value: its kind, and what `rest` writes after it. Takes everything back if it fails or
  // throws, or is a key for the second time.
  template <typename Rest>
  Status Put(int32_t kind, Rest&& rest);
  Status Allow(int32_t kind) const;
  bool AtKey() const { return !open_.empty() && open_.back().is_map && open_.back().values % 2 == 0; }

  std::unique_ptr<memory_output> archive_;
  std::vector<Open> open_;  // innermost last
};

class ValueReader {
 public:
  struct Node {
    int32_t kind;
    int32_t element;  // of an array
    uint64_t count;   // bytes, elements, entries or pairs
    uint64_t at;      // a number's bits; where its bytes begin; the first of its entries
  };

  // Takes the bytes apart; they must stay. BAD_VALUE or TOO_DEEP leave the reader empty.
  Status Open(ByteView bytes);
  void Clear();
  bool empty() const { return nodes_.empty(); }

  // Nodes are numbered from 0, the root; the entries of a list follow one another, those of a map as key,
  // value, key, value.
  uint64_t size() const { return nodes_.size(); }
  const Node& node(uint64_t index) const { return nodes_[index]; }
  ByteView BytesOf(const Node& node) const;
  // The value under a string key of a map; 0 (which is never inside anything) if there is none.
  uint64_t Find(const Node& map, std::string_view key) const;

 private:
  class Parser;

  ByteView bytes_;
  std::vector<Node> nodes_;
};

// What a handle stands for: a value that is being written, or was decoded.
class Value {
 public:
  // Lets `part` put one more part into the writer; what was decoded is forgotten if that succeeds.
  template <typename Part>
  Status Write(Part&& part) {
    Status put = part(writer_);
    if (put.ok()) Forget();
    return put;
  }
  // Copies the bytes unless they are lent.
  Status Decode(ByteView bytes, bool lent);
  void Clear();
  // The encoded bytes; NOT_READY unless they are a whole value.
  Result<ByteView> Bytes() const;
  // The nodes; NOT_READY as above.
  Result<const ValueReader*> Read();

 private:
  void Forget();  // what was decoded or read

  ValueWriter writer_;  // empty if something was decoded
  std::vector<std::byte> copy_;
  ByteView decoded_;
  ValueReader reader_;  // of `decoded_` or, once asked for, of what was written
};

}  // namespace mproc::task
