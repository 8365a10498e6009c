// SPDX-License-Identifier: MIT
// Payloads that do not fit into a slot: memory files that their writer makes, fills and reuses.
//
// Each direction of a channel has one BlockWriter on the writing side and one BlockReader on the other. The
// writer sends a block's descriptor over the socket once, before the first slot that points into it; after
// that the block is known by its number. Small payloads share an arena that is used as a ring; a large one
// has a block of its own. Payloads are consumed in the order of their positions, so the writer frees them by
// one number: everything below it is done with. A block that was lent is not: the reader gives each back by
// itself, whenever that is. Blocks that are done with are kept for later payloads: their pages are there, and
// the reader knows them.
//
// Nobody waits to say that a block is dropped, as the reader may not listen for hours: where the socket has
// no room the writer remembers it, and says it before it sends another block. So the reader never knows more
// blocks than the writer has.
//
// A reader that has no free descriptor or no memory loses the block, and the payload with it. It tells the
// writer, which from then on puts nothing into any block that it has sent before.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "ipc/message.hh"
#include "platform/shared_memory.hh"

namespace mproc::ipc {

inline constexpr size_t kMostBlocks = 1024;  // that a reader keeps
inline constexpr size_t kLargestInArena = 64 * 1024;
inline constexpr size_t kLargestCopied = 32 * 1024;  // of what the reader would rather be lent

struct Placement {
  uint32_t block = 0;
  bool alone = false;  // in a block of its own
  uint64_t offset = 0;
  std::byte* data = nullptr;
};

// Not thread-safe: guarded by whoever owns the channel side.
class BlockWriter {
 public:
  // `wait` says whether sending a descriptor may block for room in the socket.
  BlockWriter(const char* name, bool wait) : name_(name), wait_(wait) {}

  // Room for the payload of `position`, which must not be lower than that of an earlier call; one beyond
  // `largest_in_arena` gets a block of its own. QUEUE_FULL if the socket has no room for the descriptor.
  Result<Placement> Allocate(int socket, uint64_t position, size_t size,
                             size_t largest_in_arena = kLargestInArena);
  // Takes back the last Allocate, whose payload was never published.
  void Undo(int socket);
  // The block of the last Allocate, which is `alone`, now counts as lent.
  void LendLast();
  // The reader gives a block back; one that it does not have is ignored.
  void Return(int socket, uint32_t block);
  size_t lent() const { return lent_.size(); }
  // Where the payload of a position lies that is not released yet; null if it has none.
  std::byte* Find(uint64_t position) const;
  // Sends somebody else's memory and numbers it: for both sides to write or, with a note, to be read as the
  // bytes of a bound function. `objects`: the descriptors that the note says go with it.
  Result<uint32_t> Share(int socket, int fd, size_t size, ByteView note = {},
                         std::span<const int> objects = {});
  // The reader may forget such memory.
  void Unshare(int socket, uint32_t block);
  // Says which blocks were dropped. False if the socket has no room for all of them: to be tried again.
  bool TellDropped(int socket) { return SendDropped(socket, false).ok(); }
  // Whether the reader still has what was sent under this number, as far as it says.
  bool Good(uint32_t block) const { return block >= good_from_; }
  // Everything for positions below `position` has been consumed.
  void Release(int socket, uint64_t position);
  // Gives back the memory that is kept for later.
  void Trim(int socket);
  // The reader has lost `count` blocks so far, as it says.
  void NoteLost(int socket, uint32_t count);

 private:
  struct Block {
    uint32_t id = 0;
    platform::SharedMemory memory;
  };
  struct Use {
    uint64_t position;
    size_t arena_begin;
    size_t arena_end;  // of the arena's ring; 0 if `block` is used
    Block block;
  };

  Result<Block> NewBlock(int socket, size_t size);
  // A kept block that fits, or a new one.
  Result<Block> TakeBlock(int socket, size_t size);
  void KeepBlock(int socket, Block block);
  void Drop(int socket, Block block);
  Status SendDropped(int socket, bool wait);

  const char* name_;
  bool wait_;
  uint32_t next_id_ = 1;
  Block arena_;
  uint32_t lost_ = 0;          // what NoteLost said
  uint32_t good_from_ = 1;     // blocks below it were sent before the last loss: not to be used again
  std::vector<Block> spares_;  // the one kept last at the end
  size_t spare_bytes_ = 0;
  size_t arena_head_ = 0;  // next free byte
  size_t arena_tail_ = 0;  // first byte in use; equal to head_: empty
  size_t arena_uses_ = 0;
  std::deque<Use> uses_;
  std::unordered_map<uint32_t, Block> lent_;
  std::deque<uint32_t> dropped_;  // that the reader has not been told of
};

// Not thread-safe: guarded by whoever owns the channel side.
class BlockReader {
 public:
  explicit BlockReader(bool distrust) : distrust_(distrust) {}
  // Handles a kBlock, kSharedBlock, kBoundBlock or kDropBlock message. An error means nonsense, unless the
  // block is now lost; what a trusted peer sends is known or lost afterwards.
  Status Take(const MessageHead& head, platform::Message* message);
  // The bytes, or null if there is no such block or range.
  const std::byte* Find(uint32_t block, uint64_t offset, uint64_t size) const;
  // The memory of a block, which stays as long as somebody holds it; null if it is not known.
  std::shared_ptr<const platform::SharedMemory> Hold(uint32_t block) const;
  bool Knows(uint32_t block) const { return blocks_.contains(block); }
  // True if the block was sent but could not be taken, for want of a descriptor or of memory.
  bool Lost(uint32_t block) const { return lost_.contains(block); }

 private:
  Status Adopt(const MessageHead& head, platform::Message* message);

  bool distrust_;
  std::unordered_map<uint32_t, std::shared_ptr<const platform::SharedMemory>> blocks_;
  std::unordered_set<uint32_t> lost_;
};

}  // namespace mproc::ipc
