// SPDX-License-Identifier: MIT
// How much memory can still be had. Any thread.
#pragma once

#include <cstdint>

namespace mproc::platform {

// Bytes that this process could take before the system or a control group of its own runs out: a guess, as
// others take memory, too. UINT64_MAX if nothing is known.
uint64_t MemoryLeft();

// Whether so many bytes can be had, asked before they are taken. The system does not refuse memory that it
// has not got but ends processes to find some.
bool CanBeHad(uint64_t size);

}  // namespace mproc::platform
