// SPDX-License-Identifier: MIT
#include "pool/future.hh"

#include <cstdlib>

#include "pool/map.hh"

namespace mproc::pool {

Extra::Extra() = default;
Extra::~Extra() = default;

bool StoreBytes(Future* future, ByteView value) {
  FreeBytes(future);
  if (value.size() <= kFutureInline) {
    if (!value.empty()) std::memcpy(future->bytes, value.data(), value.size());
  } else {
    auto* copy = static_cast<std::byte*>(std::malloc(value.size()));
    if (!copy) return false;
    std::memcpy(copy, value.data(), value.size());
    future->heap = copy;
    future->input = Input::kHeap;
  }
  future->size = value.size();
  return true;
}

void FreeBytes(Future* future) {
  if (future->input == Input::kHeap) std::free(future->heap);
  future->input = Input::kInline;
  future->size = 0;
}

}  // namespace mproc::pool
