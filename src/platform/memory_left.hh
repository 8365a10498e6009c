// SPDX-License-Identifier: MIT
// How much memory can still be had. Any thread.
#pragma once

#include <cstdint>

namespace mproc::platform {

// Bytes that this process could take before the system or a control group of its own runs out: a guess, as
// others take memory, too. UINT64_MAX if nothing is known.
uint64_t MemoryLeft();

}  // namespace mproc::platform
