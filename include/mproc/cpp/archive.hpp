// SPDX-License-Identifier: MIT
// cereal archives over memory: little-endian, no streams, every count checked against what is there before
// anything is allocated.
#ifndef MPROC_CPP_ARCHIVE_HPP
#define MPROC_CPP_ARCHIVE_HPP

#include <cereal/cereal.hpp>
#include <cereal/types/string.hpp>
#include <cereal/types/vector.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>
#include <vector>

namespace mproc {

static_assert(std::endian::native == std::endian::little, "the archives copy numbers as they lie in memory");

// Thrown by memory_input at bytes that are not what was written.
struct bad_input {};

class memory_output : public cereal::OutputArchive<memory_output, cereal::AllowEmptyClassElision> {
 public:
  memory_output() : OutputArchive(this) {}
  void write(const void* data, size_t size) {
    size_t at = bytes_.size();
    bytes_.resize(at + size);
    if (size) std::memcpy(bytes_.data() + at, data, size);
  }
  std::vector<std::byte>& bytes() { return bytes_; }

 private:
  std::vector<std::byte> bytes_;
};

class memory_input : public cereal::InputArchive<memory_input, cereal::AllowEmptyClassElision> {
 public:
  explicit memory_input(std::span<const std::byte> bytes) : InputArchive(this), rest_(bytes) {}
  void read(void* data, size_t size) {
    const std::byte* from = rest_.data();
    skip(size);
    if (size) std::memcpy(data, from, size);
  }
  void skip(size_t size) {
    if (size > rest_.size()) throw bad_input();
    rest_ = rest_.subspan(size);
  }
  // A count of elements that take at least one byte each cannot exceed the bytes that remain.
  void check_count(uint64_t count) const {
    if (count > rest_.size()) throw bad_input();
  }
  std::span<const std::byte> rest() const { return rest_; }

 private:
  std::span<const std::byte> rest_;
};

template <typename T>
requires std::is_arithmetic_v<T>
void CEREAL_SAVE_FUNCTION_NAME(memory_output& archive, const T& value) {
  archive.write(&value, sizeof value);
}
template <typename T>
requires std::is_arithmetic_v<T>
void CEREAL_LOAD_FUNCTION_NAME(memory_input& archive, T& value) {
  if constexpr (std::is_same_v<T, bool>) {  // a byte that is neither must not become one
    uint8_t byte;
    archive.read(&byte, sizeof byte);
    if (byte > 1) throw bad_input();
    value = byte != 0;
  } else {
    archive.read(&value, sizeof value);
  }
}
template <typename T>
void CEREAL_SERIALIZE_FUNCTION_NAME(memory_output& archive, cereal::NameValuePair<T>& pair) {
  archive(pair.value);
}
template <typename T>
void CEREAL_SERIALIZE_FUNCTION_NAME(memory_input& archive, cereal::NameValuePair<T>& pair) {
  archive(pair.value);
}
template <typename T>
void CEREAL_SERIALIZE_FUNCTION_NAME(memory_output& archive, cereal::SizeTag<T>& tag) {
  archive(static_cast<uint64_t>(tag.size));
}
template <typename T>
void CEREAL_SERIALIZE_FUNCTION_NAME(memory_input& archive, cereal::SizeTag<T>& tag) {
  uint64_t count;
  archive(count);
  archive.check_count(count);
  tag.size = static_cast<std::remove_reference_t<decltype(tag.size)>>(count);
}
template <typename T>
void CEREAL_SAVE_FUNCTION_NAME(memory_output& archive, const cereal::BinaryData<T>& data) {
  archive.write(data.data, static_cast<size_t>(data.size));
}
template <typename T>
void CEREAL_LOAD_FUNCTION_NAME(memory_input& archive, cereal::BinaryData<T>& data) {
  archive.read(data.data, static_cast<size_t>(data.size));
}

// A vector of numbers: what it claims is compared with the bytes that are there, not only with their number.
template <typename T, typename Allocator>
requires(std::is_arithmetic_v<T> &&
         !std::is_same_v<T, bool>) void CEREAL_LOAD_FUNCTION_NAME(memory_input& archive,
                                                                  std::vector<T, Allocator>& numbers) {
  uint64_t count;
  archive(count);
  if (count > archive.rest().size() / sizeof(T)) throw bad_input();
  numbers.resize(static_cast<size_t>(count));
  archive.read(numbers.data(), static_cast<size_t>(count) * sizeof(T));
}

}  // namespace mproc

CEREAL_REGISTER_ARCHIVE(mproc::memory_output)
CEREAL_REGISTER_ARCHIVE(mproc::memory_input)
CEREAL_SETUP_ARCHIVE_TRAITS(mproc::memory_input, mproc::memory_output)

#endif
