// SPDX-License-Identifier: MIT
#include "pool/known_blocks.hh"

#include <algorithm>

namespace mproc::pool {
namespace {

constexpr size_t kMost = ipc::kMostBlocks / 2;  // the worker keeps ordinary blocks, too

}  // namespace

Result<uint32_t> KnownBlocks::NumberOf(const std::shared_ptr<SharedBlock>& block, ipc::HostChannel* channel,
                                       int socket) {
  auto known = std::find_if(known_.begin(), known_.end(), [&](const Known& one) {
    return !one.block.owner_before(block) && !block.owner_before(one.block);
  });
  if (known != known_.end()) {
    if (channel->HasShared(socket, known->number)) return known->number;
    channel->Unshare(socket, known->number);  // the worker could not receive it then
    known_.erase(known);
  }
  Forget(channel, socket);
  if (known_.size() >= kMost) {
    // One that no task has: what waits in the channel may need the others.
    auto old = std::find_if(known_.begin(), known_.end(), [](const Known& one) {
      auto kept = one.block.lock();
      return !kept || !kept->in_use();
    });
    if (old != known_.end()) {
      channel->Unshare(socket, old->number);
      known_.erase(old);
    }
  }
  auto number = channel->Share(socket, block->fd(), block->size());
  if (number.ok()) known_.push_back({block, *number});
  return number;
}

void KnownBlocks::Forget(ipc::HostChannel* channel, int socket) {
  std::erase_if(known_, [&](const Known& one) {
    if (!one.block.expired()) return false;
    channel->Unshare(socket, one.number);
    return true;
  });
}

}  // namespace mproc::pool
