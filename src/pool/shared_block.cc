// SPDX-License-Identifier: MIT
#include "pool/shared_block.hh"

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

}  // namespace mproc::pool
