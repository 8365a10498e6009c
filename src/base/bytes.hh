// SPDX-License-Identifier: MIT
// A borrowed run of bytes.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace mproc {

using ByteView = std::span<const std::byte>;

inline ByteView AsBytes(const void* data, size_t size) { return {static_cast<const std::byte*>(data), size}; }
inline ByteView AsBytes(std::string_view text) { return AsBytes(text.data(), text.size()); }
inline std::string_view AsText(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace mproc
