// SPDX-License-Identifier: MIT
#include "ipc/blocks.hh"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace mproc::ipc {
namespace {

constexpr size_t kArenaBytes = 512 * 1024;
constexpr size_t kMostSpareBytes = 64 * 1024 * 1024;
constexpr size_t kMostSpares = 8;

size_t Aligned(size_t size) { return (size + 63) & ~size_t{63}; }

}  // namespace

Result<BlockWriter::Block> BlockWriter::NewBlock(int socket, size_t size) {
  if (Status told = SendDropped(socket, wait_); !told.ok()) return told;
  auto memory = platform::SharedMemory::Create(name_, size, platform::SharedMemory::Peer::kReads);
  if (!memory.ok()) return memory.status();
  Block block{next_id_, std::move(*memory)};
  MessageHead head{static_cast<uint32_t>(MessageType::kBlock), block.id, block.memory.size()};
  int fd = block.memory.fd();
  if (Status sent = SendFrame(socket, head, {}, {&fd, 1}, wait_); !sent.ok()) return sent;
  next_id_++;
  block.memory.CloseFd();
  return block;
}

Result<uint32_t> BlockWriter::Share(int socket, int fd, size_t size, ByteView note,
                                    std::span<const int> objects) {
  if (Status told = SendDropped(socket, wait_); !told.ok()) return told;
  auto type = note.empty() ? MessageType::kSharedBlock : MessageType::kBoundBlock;
  MessageHead head{static_cast<uint32_t>(type), next_id_, size};
  std::vector<int> fds{fd};
  fds.insert(fds.end(), objects.begin(), objects.end());
  if (Status sent = SendFrame(socket, head, note, fds, wait_); !sent.ok()) return sent;
  return next_id_++;
}

void BlockWriter::Unshare(int socket, uint32_t block) {
  dropped_.push_back(block);
  TellDropped(socket);
}

Status BlockWriter::SendDropped(int socket, bool wait) {
  for (; !dropped_.empty(); dropped_.pop_front()) {
    MessageHead head{static_cast<uint32_t>(MessageType::kDropBlock), dropped_.front(), 0};
    if (Status sent = SendFrame(socket, head, {}, {}, wait); !sent.ok()) return sent;
  }
  return Status();
}

void BlockWriter::Drop(int socket, Block block) {
  if (block.memory) Unshare(socket, block.id);
}

Result<Placement> BlockWriter::Allocate(int socket, uint64_t position, size_t size, size_t largest_in_arena) {
  size_t need = Aligned(size ? size : 1);
  bool arena_good = arena_.id >= good_from_;
  if (!arena_good && arena_uses_ == 0) {
    Drop(socket, std::exchange(arena_, Block{}));
    arena_good = true;
  }
  if (need <= largest_in_arena && arena_good) {
    if (!arena_.memory) {
      auto block = NewBlock(socket, kArenaBytes);
      if (!block.ok()) return block.status();
      arena_ = std::move(*block);
    }
    if (arena_uses_ == 0) arena_head_ = arena_tail_ = 0;
    size_t at = SIZE_MAX;
    if (arena_head_ >= arena_tail_) {
      if (kArenaBytes - arena_head_ >= need) {
        at = arena_head_;
      } else if (arena_tail_ > need) {
        at = 0;
      }
    } else if (arena_tail_ - arena_head_ > need) {
      at = arena_head_;
    }
    if (at != SIZE_MAX) {
      arena_head_ = at + need;
      arena_uses_++;
      uses_.push_back({position, at, arena_head_, {}});
      return Placement{arena_.id, false, at, arena_.memory.data() + at};
    }
  }
  auto block = TakeBlock(socket, size);
  if (!block.ok()) return block.status();
  Placement placement{block->id, true, 0, block->memory.data()};
  uses_.push_back({position, 0, 0, std::move(*block)});
  return placement;
}

void BlockWriter::LendLast() {
  Block block = std::move(uses_.back().block);
  uses_.pop_back();
  uint32_t id = block.id;
  lent_.emplace(id, std::move(block));
}

void BlockWriter::Return(int socket, uint32_t block) {
  auto found = lent_.find(block);
  if (found == lent_.end()) return;
  Block back = std::move(found->second);
  lent_.erase(found);
  KeepBlock(socket, std::move(back));
}

std::byte* BlockWriter::Find(uint64_t position) const {
  auto use = std::lower_bound(uses_.begin(), uses_.end(), position,
                              [](const Use& one, uint64_t at) { return one.position < at; });
  if (use == uses_.end() || use->position != position) return nullptr;
  return use->arena_end ? arena_.memory.data() + use->arena_begin : use->block.memory.data();
}

Result<BlockWriter::Block> BlockWriter::TakeBlock(int socket, size_t size) {
  size_t best = spares_.size();
  for (size_t i = 0; i < spares_.size(); i++) {
    size_t has = spares_[i].memory.size();
    if (has < size || has / 8 > size) continue;  // nor should a small payload hold a large block
    if (best == spares_.size() || has <= spares_[best].memory.size()) best = i;
  }
  if (best == spares_.size()) return NewBlock(socket, size);
  Block block = std::move(spares_[best]);
  spares_.erase(spares_.begin() + static_cast<std::ptrdiff_t>(best));
  spare_bytes_ -= block.memory.size();
  return block;
}

void BlockWriter::KeepBlock(int socket, Block block) {
  if (block.memory.size() > kMostSpareBytes || block.id < good_from_) return Drop(socket, std::move(block));
  spare_bytes_ += block.memory.size();
  spares_.push_back(std::move(block));
  while (spares_.size() > kMostSpares || spare_bytes_ > kMostSpareBytes) {
    spare_bytes_ -= spares_.front().memory.size();
    Drop(socket, std::move(spares_.front()));
    spares_.erase(spares_.begin());
  }
}

void BlockWriter::Undo(int socket) {
  Use use = std::move(uses_.back());
  uses_.pop_back();
  if (use.arena_end) {
    arena_uses_--;  // its bytes come free with those before it
    if (arena_uses_ == 0) arena_head_ = arena_tail_ = 0;
  } else {
    KeepBlock(socket, std::move(use.block));
  }
}

void BlockWriter::Release(int socket, uint64_t position) {
  while (!uses_.empty() && uses_.front().position < position) {
    Use use = std::move(uses_.front());
    uses_.pop_front();
    if (use.arena_end) {
      arena_tail_ = use.arena_end;
      arena_uses_--;
    } else {
      KeepBlock(socket, std::move(use.block));
    }
  }
}

void BlockWriter::Trim(int socket) {
  for (Block& block : spares_) Drop(socket, std::move(block));
  spares_.clear();
  spare_bytes_ = 0;
  if (arena_uses_ == 0) Drop(socket, std::exchange(arena_, Block{}));
  TellDropped(socket);
}

void BlockWriter::NoteLost(int socket, uint32_t count) {
  if (count == lost_) return;
  lost_ = count;
  good_from_ = next_id_;
  Trim(socket);
}

Status BlockReader::Take(const MessageHead& head, platform::Message* message) {
  if (head.type == static_cast<uint32_t>(MessageType::kDropBlock)) {
    if (blocks_.erase(head.number) + lost_.erase(head.number) == 1) return Status();
    return Status(MPROC_ERROR_PROTOCOL, "a worker dropped a block of shared memory that it never sent");
  }
  bool known = Knows(head.number);
  Status taken = Adopt(head, message);
  if (taken.ok() || known) return taken;
  // Of a stranger nothing but a lack on this side is an excuse, and that not without end.
  bool lack = taken.code() == MPROC_ERROR_DESCRIPTOR_LIMIT || taken.os_code() == ENOMEM;
  if (!distrust_ || (lack && lost_.size() < kMostBlocks)) lost_.insert(head.number);
  return taken;
}

Status BlockReader::Adopt(const MessageHead& head, platform::Message* message) {
  if (message->fds_lost) {
    return Status(MPROC_ERROR_DESCRIPTOR_LIMIT,
                  "no free descriptor to receive a block of shared memory: raise the limit of open files");
  }
  bool shared = head.type == static_cast<uint32_t>(MessageType::kSharedBlock);
  if ((distrust_ && shared) || message->fds.size() != 1 || head.number == 0 ||
      blocks_.contains(head.number) || blocks_.size() >= kMostBlocks) {
    return Status(MPROC_ERROR_PROTOCOL, "a worker sent a malformed block of shared memory");
  }
  auto memory = platform::SharedMemory::Adopt(std::move(message->fds[0]), head.size, distrust_, shared);
  if (!memory.ok()) return memory.status();
  memory->CloseFd();
  blocks_.emplace(head.number, std::make_shared<const platform::SharedMemory>(std::move(*memory)));
  return Status();
}

std::shared_ptr<const platform::SharedMemory> BlockReader::Hold(uint32_t block) const {
  auto found = blocks_.find(block);
  return found == blocks_.end() ? nullptr : found->second;
}

const std::byte* BlockReader::Find(uint32_t block, uint64_t offset, uint64_t size) const {
  auto found = blocks_.find(block);
  if (found == blocks_.end()) return nullptr;
  const auto& memory = *found->second;
  if (offset > memory.size() || size > memory.size() - offset) return nullptr;
  return memory.data() + offset;
}

}  // namespace mproc::ipc
