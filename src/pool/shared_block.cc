// SPDX-License-Identifier: MIT
#include "pool/shared_block.hh"

#include "pool/engine_side.hh"
#include "task/kind.hh"

namespace mproc::pool {

Result<std::shared_ptr<SharedBlock>> SharedBlock::Create(size_t size) {
  if (size > task::kLargestPayload) return Status(MPROC_ERROR_TOO_LARGE);
  auto memory = platform::SharedMemory::Create("mproc-block", size, platform::SharedMemory::Peer::kWrites);
  if (!memory.ok()) return memory.status();
  std::shared_ptr<SharedBlock> block(new SharedBlock());
  block->fd_ = runtime::GuardedFd(memory->GiveFd());
  block->memory_ = std::move(*memory);
  block->size_ = size;
  return block;
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
