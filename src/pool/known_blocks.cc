// SPDX-License-Identifier: MIT
#include "pool/known_blocks.hh"

#include <algorithm>

namespace mproc::pool {
namespace {

constexpr size_t kMost = ipc::kMostBlocks / 2;  // the worker keeps ordinary blocks, too

}  // namespace

Result<uint32_t> KnownBlocks::NumberOf(const std::shared_ptr<SharedBlock>& block, ipc::HostChannel* channel,
                                       int socket, uint64_t tail) {
  auto known = std::find_if(known_.begin(), known_.end(), [&](const Known& one) {
    return !one.block.owner_before(block) && !block.owner_before(one.block);
  });
  if (known != known_.end()) {
    if (channel->HasShared(socket, known->number)) {
      known->position = channel->head();
      return known->number;
    }
    channel->Unshare(socket, known->number);  // the worker could not receive it then
    known_.erase(known);
  }
  Forget(channel, socket);
  if (known_.size() >= kMost) {
    // One that this worker is done with: what waits in its channel needs the others.
    auto old = std::ranges::find_if(known_, [&](const Known& one) { return one.position < tail; });
    if (old == known_.end()) return Status(MPROC_ERROR_QUEUE_FULL);
    channel->Unshare(socket, old->number);
    known_.erase(old);
  }
  auto number = channel->Share(socket, block->fd(), block->size(), block->told(), block->object_fds());
  if (!number.ok()) return number;
  known_.push_back({block, *number, channel->head()});
  if (engine_) block->KnownTo(engine_);
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
