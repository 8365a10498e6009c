// SPDX-License-Identifier: MIT
#include "pool/future.hh"

#include <cstdlib>

#include "platform/pages.hh"
#include "pool/begin_due.hh"
#include "pool/map.hh"
#include "pool/progress.hh"

namespace mproc::pool {
namespace {

constexpr size_t kManyBytes = 256 * 1024;  // worth a system call each way

}  // namespace

Extra::Extra() = default;
Extra::~Extra() = default;

bool StoreBytes(Future* future, ByteView value) {
  FreeBytes(future);
  if (value.size() <= kFutureInline) {
    if (!value.empty()) std::memcpy(future->bytes, value.data(), value.size());
  } else {
    bool many = value.size() >= kManyBytes;
    auto* copy =
        many ? platform::TakePages(value.size()) : static_cast<std::byte*>(std::malloc(value.size()));
    if (!copy) return false;
    std::memcpy(copy, value.data(), value.size());
    future->heap = copy;
    future->input = many ? Input::kPages : Input::kHeap;
  }
  future->size = value.size();
  return true;
}

void HoldBytes(Future* future, ByteView bytes, std::unique_ptr<Holder> holder) {
  FreeBytes(future);
  future->held = {bytes.data(), holder.release()};
  future->input = Input::kHeld;
  future->size = bytes.size();
}

void FreeBytes(Future* future) {
  if (future->input == Input::kHeap) std::free(future->heap);
  if (future->input == Input::kPages) platform::GivePagesBack(future->heap, future->size);
  if (future->input == Input::kHeld) delete future->held.holder;
  future->input = Input::kInline;
  future->size = 0;
}

}  // namespace mproc::pool
