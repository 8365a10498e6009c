// SPDX-License-Identifier: MIT
#include <mproc/block.h>

#include "capi/guard.hh"
#include "capi/objects.hh"
#include "pool/shared_block.hh"

using namespace mproc;
using namespace mproc::capi;
using pool::SharedBlock;

namespace {

using BlockHandles = Handles<SharedBlock, 5>;

Result<std::shared_ptr<SharedBlock>> FindBlock(mproc_block_t* handle) {
  BlockHandles::Pinned pinned;
  if (Status known = BlockHandles::Get().Find(handle, &pinned); !known.ok()) return known;
  return pinned.Share();
}

}  // namespace

mproc_status_t mproc_block_create(size_t size, mproc_block_t** block) {
  return Guard([&] {
    if (!block) return BadArgument("block is null");
    if (size == 0) return BadArgument("a block has at least one byte");
    auto made = SharedBlock::Create(size);
    if (!made.ok()) return made.status();
    void* handle = BlockHandles::Get().Add(std::move(*made));
    if (!handle) return Status(MPROC_ERROR_OUT_OF_MEMORY, "there are 65536 blocks already");
    *block = static_cast<mproc_block_t*>(handle);
    return Status();
  });
}

mproc_status_t mproc_block_data(mproc_block_t* block, void** data, size_t* size) {
  return GuardTask([&]() -> Status {
    auto found = FindBlock(block);
    if (!found.ok()) return found.status();
    if (data) *data = (*found)->data();
    if (size) *size = (*found)->size();
    return Status();
  });
}

mproc_status_t mproc_block_destroy(mproc_block_t* block) {
  return Guard([&] {
    std::shared_ptr<SharedBlock> object;
    return block ? BlockHandles::Get().Take(block, &object) : Status();
  });
}

mproc_status_t mproc_pool_submit_block(mproc_pool_t* pool, uint32_t function_id, mproc_block_t* block,
                                       size_t offset, size_t size, mproc_release_cb release, void* owner,
                                       int64_t limit, mproc_future_cb callback,
                                       mproc_future_cb error_callback, void* user_data,
                                       mproc_future_t** future) {
  return GuardBorrowed(release, owner, [&] {
    return OnPool(pool, [&](pool::Pool& p) -> Status {
      auto found = FindBlock(block);
      if (!found.ok()) return found.status();
      SharedBlock& memory = **found;
      if (offset > memory.size() || size > memory.size() - offset) {
        return BadArgument("the bytes are not all in the block");
      }
      if (!memory.Begin()) return Status(MPROC_ERROR_BUSY, "another task has the block: wait for its end");
      ByteView bytes(memory.data() + offset, size);
      auto use = std::make_unique<pool::BlockUse>(std::move(*found));
      return p.Submit(function_id, {bytes, true, std::move(use)}, Deadline::After(limit),
                      {callback, error_callback, user_data, release, owner},
                      reinterpret_cast<pool::Future**>(future));
    });
  });
}
