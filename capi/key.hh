// SPDX-License-Identifier: MIT
// Keys that callers give.
#pragma once

#include <cstddef>

namespace mproc::capi {

inline bool IsKey(const void* key, size_t size) { return key && size > 0 && size <= size_t{1} << 20; }

}  // namespace mproc::capi
