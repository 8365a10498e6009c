// SPDX-License-Identifier: MIT
// The shared blocks that one worker has been sent. Guarded by the pool's mutex.
#pragma once

#include <memory>
#include <vector>

#include "ipc/channel.hh"
#include "pool/shared_block.hh"

namespace mproc::pool {

class KnownBlocks {
 public:
  // The number of a block in the worker's channel; sends it if the worker has not got it. QUEUE_FULL if the
  // socket has no room.
  Result<uint32_t> NumberOf(const std::shared_ptr<SharedBlock>& block, ipc::HostChannel* channel, int socket);
  // Lets the worker forget the blocks that are no more.
  void Forget(ipc::HostChannel* channel, int socket);
  void Clear() { known_.clear(); }

 private:
  struct Known {
    std::weak_ptr<SharedBlock> block;
    uint32_t number;
  };
  std::vector<Known> known_;  // sent first = in front
};

}  // namespace mproc::pool
