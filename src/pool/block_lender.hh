// SPDX-License-Identifier: MIT
// The blocks that one worker has lent for its results. A large value is not copied: its future looks at the
// worker's block until it is released, and only then is the block given back for another value. So values
// outlive their worker, too. Thread-safe: futures are released by any thread, with or without the pool's
// mutex.
#pragma once

#include <memory>
#include <mutex>
#include <unordered_set>

#include "ipc/channel.hh"
#include "pool/held_bytes.hh"

namespace mproc::pool {

class EngineSide;

class BlockLender : public std::enable_shared_from_this<BlockLender> {
 public:
  // `engine`, if not null, ticks when a block is given back: the worker may give the memory back, too.
  BlockLender(ipc::HostChannel* channel, std::shared_ptr<EngineSide> engine)
      : channel_(channel), engine_(std::move(engine)) {}

  // A holder that gives the block back at its end; null if the worker has not got it back since it lent it
  // the last time, or lends more than it can get back.
  std::unique_ptr<Holder> Take(uint32_t block, std::shared_ptr<const platform::SharedMemory> memory);
  // Gives a block back, also one that was never received.
  void GiveBack(uint32_t block);
  // So many are out that values had better be copied.
  bool Many();
  // The channel is about to go.
  void Close();

 private:
  class Loan;

  std::mutex mutex_;
  ipc::HostChannel* channel_;           // mutex_
  std::shared_ptr<EngineSide> engine_;  // mutex_
  std::unordered_set<uint32_t> out_;    // mutex_
};

}  // namespace mproc::pool
