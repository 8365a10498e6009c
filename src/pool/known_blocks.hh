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
  // Of a new worker. `engine` ticks at the end of a block, so that Forget is called.
  void Open(std::shared_ptr<EngineSide> engine) { engine_ = std::move(engine); }
  // The number of a block in the worker's channel, for the next task there; sends it if the worker has not
  // got it. The worker is done with positions below `tail`. QUEUE_FULL if the socket has no room, or the
  // worker none for one more block.
  Result<uint32_t> NumberOf(const std::shared_ptr<SharedBlock>& block, ipc::HostChannel* channel, int socket,
                            uint64_t tail);
  // Lets the worker forget the blocks that are no more.
  void Forget(ipc::HostChannel* channel, int socket);
  void Clear() {
    known_.clear();
    engine_.reset();
  }

 private:
  struct Known {
    std::weak_ptr<SharedBlock> block;
    uint32_t number;
    uint64_t position;  // of the last task that it was for
  };
  std::vector<Known> known_;  // sent first = in front
  std::shared_ptr<EngineSide> engine_;
};

}  // namespace mproc::pool
