// SPDX-License-Identifier: MIT
#include "pool/shared_block.hh"

#include <algorithm>
#include <cstring>

#include "object/passing.hh"
#include "pool/engine_side.hh"
#include "task/kind.hh"

namespace mproc::pool {

Result<std::shared_ptr<SharedBlock>> SharedBlock::Create(size_t size) {
  if (size > task::kLargestPayload) return Status(MPROC_ERROR_TOO_LARGE);
  auto memory = platform::SharedMemory::Create("mproc-block", size, platform::SharedMemory::Peer::kWrites);
  if (!memory.ok()) return memory.status();
  std::shared_ptr<SharedBlock> block(new SharedBlock());
  block->fd_ = platform::GuardedFd(memory->GiveFd());
  block->memory_ = std::move(*memory);
  block->size_ = size;
  return block;
}

void SharedBlock::SetNote(const ipc::BoundNote& note, std::vector<object::PassedObject> objects) {
  note_ = note;
  objects_ = std::move(objects);
  ByteView bytes = AsBytes(&note, sizeof note);
  told_.assign(bytes.begin(), bytes.end());
  for (const object::PassedObject& object : objects_) object::Tell(object, &told_, &object_fds_);
}

Result<std::shared_ptr<SharedBlock>> SharedBlock::CreateBound(ByteView bytes, const ipc::BoundNote& note,
                                                              std::vector<object::PassedObject> objects) {
  if (bytes.size() > task::kLargestPayload) return Status(MPROC_ERROR_TOO_LARGE);
  std::shared_ptr<SharedBlock> block(new SharedBlock());
  block->size_ = std::max<size_t>(bytes.size(), 1);  // no memory has no bytes
  auto memory =
      platform::SharedMemory::Create("mproc-bound", block->size_, platform::SharedMemory::Peer::kReads);
  if (!memory.ok()) return memory.status();
  if (!bytes.empty()) std::memcpy(memory->data(), bytes.data(), bytes.size());
  block->fd_ = platform::GuardedFd(memory->GiveFd());
  block->SetNote(note, std::move(objects));
  return block;
}

Result<std::shared_ptr<SharedBlock>> SharedBlock::CreateBound(const SharedBlock& block,
                                                              const ipc::BoundNote& note) {
  auto fd = platform::DuplicateGuarded(block.fd());
  if (!fd.ok()) return fd.status();
  std::shared_ptr<SharedBlock> bound(new SharedBlock());
  bound->fd_ = std::move(*fd);
  bound->size_ = block.size();
  bound->SetNote(note, {});
  return bound;
}

SharedBlock::~SharedBlock() {
  for (const auto& one : known_to_) {
    if (auto pool = one.lock()) pool->Tick();
  }
}

void SharedBlock::KnownTo(const std::shared_ptr<EngineSide>& pool) {
  std::lock_guard lock(mutex_);
  std::erase_if(known_to_, [&](const auto& one) {
    auto known = one.lock();
    return !known || known == pool;
  });
  known_to_.push_back(pool);
}

}  // namespace mproc::pool
