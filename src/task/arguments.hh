// SPDX-License-Identifier: MIT
// The arguments of one call as one item: the value that is a list of bytes (docs/wire-format.md), made
// without its tree, and read where it lies.
#pragma once

#include <span>
#include <vector>

#include "base/bytes.hh"
#include "base/status.hh"

namespace mproc::task {

// Appends the list of `count` arguments; `sizes` may be null if all are empty.
void PackArguments(const void* const* arguments, const size_t* sizes, size_t count,
                   std::vector<std::byte>* to);
// The entry of a list that is bytes or a string, at an index. BAD_VALUE if there is no such list or it ends
// too early; WRONG_KIND if one before it, or itself, is of another kind; NO_VALUE if it has fewer entries.
Result<ByteView> ArgumentAt(ByteView list, uint64_t index);

}  // namespace mproc::task
