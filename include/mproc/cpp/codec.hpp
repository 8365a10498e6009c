// SPDX-License-Identifier: MIT
// How arguments and results become bytes. What can be copied byte by byte lies there as it is; the rest is
// for cereal, or, where that cannot be used, for what little is needed of it.
#ifndef MPROC_CPP_CODEC_HPP
#define MPROC_CPP_CODEC_HPP

#if __has_include(<cereal/cereal.hpp>) && defined(__cpp_rtti) && !defined(MPROC_NO_CEREAL)
#define MPROC_HAS_CEREAL 1
#else
#define MPROC_HAS_CEREAL 0
#endif

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#if MPROC_HAS_CEREAL
#include <mproc/cpp/archive.hpp>

#include <cereal/types/array.hpp>
#include <cereal/types/map.hpp>
#include <cereal/types/optional.hpp>
#include <cereal/types/set.hpp>
#include <cereal/types/tuple.hpp>
#include <cereal/types/unordered_map.hpp>
#include <cereal/types/utility.hpp>
#include <cereal/types/variant.hpp>
#endif

namespace mproc {

#if !MPROC_HAS_CEREAL
// Thrown at bytes that are not what was written.
struct bad_input {};
#endif

namespace detail {

#if MPROC_HAS_CEREAL
using output = memory_output;
using input = memory_input;
template <typename T>
inline constexpr bool cereal_knows = cereal::traits::is_output_serializable<T, output>::value&&
    cereal::traits::is_input_serializable<T, input>::value;
#else
class output {
 public:
  void write(const void* data, size_t size) {
    auto* from = static_cast<const std::byte*>(data);
    bytes_.insert(bytes_.end(), from, from + size);
  }
  std::vector<std::byte>& bytes() { return bytes_; }

 private:
  std::vector<std::byte> bytes_;
};

class input {
 public:
  explicit input(std::span<const std::byte> bytes) : rest_(bytes) {}
  void read(void* data, size_t size) {
    if (size > rest_.size()) throw bad_input();
    if (size) std::memcpy(data, rest_.data(), size);
    rest_ = rest_.subspan(size);
  }
  std::span<const std::byte> rest() const { return rest_; }

 private:
  std::span<const std::byte> rest_;
};
template <typename T>
inline constexpr bool cereal_knows = false;
#endif

// Types that travel as their bytes.
template <typename T>
inline constexpr bool is_plain = std::is_arithmetic_v<T> || std::is_enum_v<T> ||
                                 (std::is_class_v<T> && std::is_trivially_copyable_v<T> &&
                                  std::is_default_constructible_v<T> && !cereal_knows<T>);

template <typename T>
inline constexpr bool is_sequence = false;
template <typename T, typename A>
inline constexpr bool is_sequence<std::vector<T, A>> = is_plain<T> && !std::is_same_v<T, bool>;
template <typename C, typename T, typename A>
inline constexpr bool is_sequence<std::basic_string<C, T, A>> = true;

template <typename T>
void put(output& out, const T& value) {
  if constexpr (is_plain<T>) {
    out.write(&value, sizeof value);
  } else if constexpr (is_sequence<T>) {
    uint64_t count = value.size();
    out.write(&count, sizeof count);
    out.write(value.data(), value.size() * sizeof value[0]);
  } else {
#if MPROC_HAS_CEREAL
    static_assert(cereal_knows<T>,
                  "an argument or result needs a serialize function, or an include of <cereal/types/...>");
    out(value);
#else
    static_assert(is_plain<T>,
                  "without cereal and RTTI only plain types, and strings and vectors of them, can travel");
#endif
  }
}

template <typename T>
void get(input& in, T& value) {
  if constexpr (std::is_same_v<T, bool>) {  // a byte that is neither must not become one
    uint8_t byte;
    in.read(&byte, sizeof byte);
    if (byte > 1) throw bad_input();
    value = byte != 0;
  } else if constexpr (is_plain<T>) {
    in.read(&value, sizeof value);
  } else if constexpr (is_sequence<T>) {
    uint64_t count;
    in.read(&count, sizeof count);
    if (count > in.rest().size() / sizeof value[0]) throw bad_input();
    value.resize(static_cast<size_t>(count));
    in.read(value.data(), static_cast<size_t>(count) * sizeof value[0]);
  } else {
#if MPROC_HAS_CEREAL
    in(value);
#endif
  }
}

template <typename... T>
std::vector<std::byte> encode(const T&... values) {
  output out;
  (put(out, values), ...);
  return std::move(out.bytes());
}

// Reads values one after the other, from the first bytes as long as there are any and then from the second;
// throws bad_input unless the bytes are exactly those.
template <typename... T>
void decode(std::span<const std::byte> first, std::span<const std::byte> second, T&... values) {
  input before(first), in(second);
  (get(before.rest().empty() ? in : before, values), ...);
  if (!before.rest().empty() || !in.rest().empty()) throw bad_input();
}
template <typename... T>
void decode(const void* data, size_t size, T&... values) {
  decode({}, {static_cast<const std::byte*>(data), size}, values...);
}

}  // namespace detail
}  // namespace mproc

#endif
