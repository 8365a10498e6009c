// SPDX-License-Identifier: MIT
// Keys that callers give.
#pragma once

#include "capi/guard.hh"

namespace mproc::capi {

inline Status CheckKey(const void* key, size_t size) {
  constexpr size_t kMost = size_t{1} << 20;
  return key && size > 0 && size <= kMost ? Status() : BadArgument("a key has 1 byte to 1 MiB");
}

}  // namespace mproc::capi
