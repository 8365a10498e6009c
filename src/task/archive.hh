// SPDX-License-Identifier: MIT
// The archives of <mproc/cpp/archive.hpp> for the library's own records (errors, tables, set-up) and values.
#pragma once

// cereal includes <iostream> and uses nothing of it. In libstdc++ that alone sets up streams and locales when
// a program starts: a megabyte of code, 60 KiB of private memory and 0.3 ms in every worker. This is the
// header's own guard.
#if __has_include(<bits/c++config.h>) && !defined(_GLIBCXX_IOSTREAM)
#define _GLIBCXX_IOSTREAM 1
#define MPROC_IOSTREAM_LEFT_OUT
#endif

#include <mproc/cpp/archive.hpp>

#ifdef MPROC_IOSTREAM_LEFT_OUT
#undef _GLIBCXX_IOSTREAM
#undef MPROC_IOSTREAM_LEFT_OUT
#endif

#include <utility>
#include <vector>

#include "base/bytes.hh"

namespace mproc::task {

using MemoryInput = memory_input;
using MemoryOutput = memory_output;

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
    return archive.rest().empty();
  } catch (const bad_input&) {
    return false;
  } catch (const std::exception&) {
    return false;
  }
}

}  // namespace mproc::task
