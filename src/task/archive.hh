// SPDX-License-Identifier: MIT
// cereal archives over memory: little-endian, no streams, every count checked against what is there before
// anything is allocated. The library's own records (errors, tables, set-up) travel in them.
#pragma once

// cereal includes <iostream> and uses nothing of it. In libstdc++ that alone sets up streams and locales when
// a program starts: a megabyte of code, 60 KiB of private memory and 0.3 ms in every worker. This is the
// header's own guard.
#if __has_include(<bits/c++config.h>) && !defined(_GLIBCXX_IOSTREAM)
#define _GLIBCXX_IOSTREAM 1
#define MPROC_IOSTREAM_LEFT_OUT
#endif

#include <cereal/cereal.hpp>
#include <cereal/types/string.hpp>
#include <cereal/types/vector.hpp>

#ifdef MPROC_IOSTREAM_LEFT_OUT
#undef _GLIBCXX_IOSTREAM
#undef MPROC_IOSTREAM_LEFT_OUT
#endif

#include <bit>
#include <concepts>
#include <cstring>
#include <vector>

#include "base/bytes.hh"

namespace mproc::task {

static_assert(std::endian::native == std::endian::little, "the archives copy numbers as they lie in memory");

// Thrown by MemoryInput at bad input; caught in Decode, never leaves this room.
struct BadInput {};

class MemoryOutput : public cereal::OutputArchive<MemoryOutput, cereal::AllowEmptyClassElision> {
 public:
  MemoryOutput() : OutputArchive(this) {}
  void saveBinary(const void* data, size_t size) {
    size_t at = bytes_.size();
    bytes_.resize(at + size);
    if (size) std::memcpy(bytes_.data() + at, data, size);
  }
  std::vector<std::byte>& bytes() { return bytes_; }

 private:
  std::vector<std::byte> bytes_;
};

class MemoryInput : public cereal::InputArchive<MemoryInput, cereal::AllowEmptyClassElision> {
 public:
  explicit MemoryInput(ByteView bytes) : InputArchive(this), rest_(bytes) {}
  void loadBinary(void* data, size_t size) {
    if (size > rest_.size()) throw BadInput();
    if (size) std::memcpy(data, rest_.data(), size);
    rest_ = rest_.subspan(size);
  }
  // A count of elements that take at least one byte each cannot exceed the bytes that remain.
  void CheckCount(uint64_t count) const {
    if (count > rest_.size()) throw BadInput();
  }
  bool empty() const { return rest_.empty(); }

 private:
  ByteView rest_;
};

template <typename T>
requires std::is_arithmetic_v<T>
void CEREAL_SAVE_FUNCTION_NAME(MemoryOutput& archive, const T& value) {
  archive.saveBinary(&value, sizeof value);
}
template <typename T>
requires std::is_arithmetic_v<T>
void CEREAL_LOAD_FUNCTION_NAME(MemoryInput& archive, T& value) { archive.loadBinary(&value, sizeof value); }
template <typename T>
void CEREAL_SERIALIZE_FUNCTION_NAME(MemoryOutput& archive, cereal::NameValuePair<T>& pair) {
  archive(pair.value);
}
template <typename T>
void CEREAL_SERIALIZE_FUNCTION_NAME(MemoryInput& archive, cereal::NameValuePair<T>& pair) {
  archive(pair.value);
}
template <typename T>
void CEREAL_SERIALIZE_FUNCTION_NAME(MemoryOutput& archive, cereal::SizeTag<T>& tag) {
  archive(static_cast<uint64_t>(tag.size));
}
template <typename T>
void CEREAL_SERIALIZE_FUNCTION_NAME(MemoryInput& archive, cereal::SizeTag<T>& tag) {
  uint64_t count;
  archive(count);
  archive.CheckCount(count);
  tag.size = static_cast<std::remove_reference_t<decltype(tag.size)>>(count);
}
template <typename T>
void CEREAL_SAVE_FUNCTION_NAME(MemoryOutput& archive, const cereal::BinaryData<T>& data) {
  archive.saveBinary(data.data, static_cast<size_t>(data.size));
}
template <typename T>
void CEREAL_LOAD_FUNCTION_NAME(MemoryInput& archive, cereal::BinaryData<T>& data) {
  archive.loadBinary(data.data, static_cast<size_t>(data.size));
}

template <typename T>
std::vector<std::byte> Encode(const T& value) {
  MemoryOutput archive;
  archive(value);
  return std::move(archive.bytes());
}

// False, with `value` in any state, if the bytes are not exactly one encoded T.
template <typename T>
bool Decode(ByteView bytes, T* value) {
  try {
    MemoryInput archive(bytes);
    archive(*value);
    return archive.empty();
  } catch (const BadInput&) {
    return false;
  } catch (const std::exception&) {
    return false;
  }
}

}  // namespace mproc::task

CEREAL_REGISTER_ARCHIVE(mproc::task::MemoryOutput)
CEREAL_REGISTER_ARCHIVE(mproc::task::MemoryInput)
CEREAL_SETUP_ARCHIVE_TRAITS(mproc::task::MemoryInput, mproc::task::MemoryOutput)
