// SPDX-License-Identifier: MIT
//
// The bytes are written in their order; the count of a list or map is put in when it ends. Nothing is looked
// at again but keys, which an open map keeps to know them again.
#include <cstring>

#include "task/archive.hh"
#include "task/kind.hh"
#include "task/value.hh"

namespace mproc::task {

ValueWriter::ValueWriter() : archive_(std::make_unique<MemoryOutput>()) {}
ValueWriter::~ValueWriter() = default;

ByteView ValueWriter::bytes() const { return archive_->bytes(); }

void ValueWriter::Clear() {
  archive_->bytes().clear();
  open_.clear();
}

Status ValueWriter::Allow(int32_t kind) const {
  if (open_.empty() && !empty()) {
    return Status(MPROC_ERROR_WRONG_KIND, "the value is complete: clear it before another is written");
  }
  if (AtKey() && kind >= MPROC_VALUE_LIST) {
    return Status(MPROC_ERROR_WRONG_KIND, "a list, a map or an array cannot be the key of a map");
  }
  return Status();
}

template <typename Rest>
Status ValueWriter::Put(int32_t kind, Rest&& rest) {
  if (Status allowed = Allow(kind); !allowed.ok()) return allowed;
  std::vector<std::byte>& bytes = archive_->bytes();
  size_t begin = bytes.size();
  try {
    (*archive_)(static_cast<uint8_t>(kind));
    rest(*archive_);
    if (AtKey() && !open_.back().keys.insert(KeyOf(ByteView(bytes).subspan(begin))).second) {
      bytes.resize(begin);
      return Status(MPROC_ERROR_DUPLICATE, "the map has this key already");
    }
  } catch (...) {
    bytes.resize(begin);
    throw;
  }
  if (!open_.empty()) open_.back().values++;
  return Status();
}

Status ValueWriter::PutNil() {
  return Put(MPROC_VALUE_NIL, [](auto&) {});
}

Status ValueWriter::PutBool(bool value) {
  return Put(MPROC_VALUE_BOOL, [&](auto& archive) { archive(static_cast<uint8_t>(value)); });
}

Status ValueWriter::PutInt(int64_t value) {
  return Put(MPROC_VALUE_INT, [&](auto& archive) { archive(value); });
}

Status ValueWriter::PutUint(uint64_t value) {
  return Put(MPROC_VALUE_UINT, [&](auto& archive) { archive(value); });
}

Status ValueWriter::PutDouble(double value) {
  return Put(MPROC_VALUE_DOUBLE, [&](auto& archive) { archive(value); });
}

Status ValueWriter::PutString(std::string_view text) {
  if (!IsUtf8(text)) return Status(MPROC_ERROR_BAD_VALUE, "the string is not UTF-8: put it as bytes");
  return Put(MPROC_VALUE_STRING, [&](auto& archive) {
    archive(static_cast<uint64_t>(text.size()), cereal::binary_data(text.data(), text.size()));
  });
}

Status ValueWriter::PutBytes(ByteView bytes) {
  return Put(MPROC_VALUE_BYTES, [&](auto& archive) {
    archive(static_cast<uint64_t>(bytes.size()), cereal::binary_data(bytes.data(), bytes.size()));
  });
}

Status ValueWriter::PutArray(int32_t type, const void* elements, uint64_t count) {
  size_t size = ElementSize(type);
  if (size == 0) return Status(MPROC_ERROR_INVALID_ARGUMENT, "there is no such type of elements");
  if (count > kLargestPayload / size) return Status(MPROC_ERROR_TOO_LARGE);
  return Put(MPROC_VALUE_ARRAY, [&](MemoryOutput& archive) {
    archive(static_cast<uint8_t>(type), count);
    while (archive.bytes().size() % kArrayAlignment) archive(uint8_t{0});
    archive(cereal::binary_data(static_cast<const std::byte*>(elements), count * size));
  });
}

Status ValueWriter::Begin(int32_t kind) {
  if (open_.size() == kDeepest) return Status(MPROC_ERROR_TOO_DEEP);
  open_.reserve(open_.size() + 1);
  Status put = Put(kind, [](auto& archive) { archive(uint64_t{0}); });
  if (!put.ok()) return put;
  Open open;
  open.count_at = bytes().size() - sizeof(uint64_t);
  open.is_map = kind == MPROC_VALUE_MAP;
  open_.push_back(std::move(open));
  return Status();
}

Status ValueWriter::End() {
  if (open_.empty()) return Status(MPROC_ERROR_WRONG_KIND, "no list or map is open");
  const Open& open = open_.back();
  if (open.is_map && !AtKey()) return Status(MPROC_ERROR_WRONG_KIND, "the last key of the map has no value");
  uint64_t count = open.is_map ? open.values / 2 : open.values;
  std::memcpy(archive_->bytes().data() + open.count_at, &count, sizeof count);
  open_.pop_back();
  return Status();
}

}  // namespace mproc::task
