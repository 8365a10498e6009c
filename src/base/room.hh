// SPDX-License-Identifier: MIT
// Memory that is taken before something happens that must not fail.
#pragma once

#include <cstddef>
#include <vector>

namespace mproc {

// The next so many elements can be added without memory.
template <typename T>
void MakeRoom(std::vector<T>* list, size_t more = 1) {
  if (list->capacity() - list->size() < more) list->reserve(list->size() * 2 + 8);
}

}  // namespace mproc
