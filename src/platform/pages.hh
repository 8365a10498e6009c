// SPDX-License-Identifier: MIT
// Private memory in whole pages, for bytes that are many: it goes back to the system when it is given back,
// whatever the heap would do. Any thread.
#pragma once

#include <cstddef>

namespace mproc::platform {

// Null without memory.
std::byte* TakePages(size_t size);
void GivePagesBack(std::byte* pages, size_t size);

}  // namespace mproc::platform
