// SPDX-License-Identifier: MIT
#include <mproc/block.h>

#include "capi/block_handles.hh"
#include "capi/objects.hh"

using namespace mproc;
using namespace mproc::capi;
using pool::SharedBlock;

mproc_status_t mproc_block_create(size_t size, mproc_block_t** block) {
  return Guard([&] {
    if (!block) return BadArgument("block is null");
    if (size == 0) return BadArgument("a block has at least one byte");
    auto made = SharedBlock::Create(size);
    if (!made.ok()) return made.status();
    return GiveOut<BlockHandles>(std::move(*made), "blocks", block);
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
  return GuardDestroy<BlockHandles, SharedBlock>(block);
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
      auto bytes = PartOf(**found, offset, size);
      if (!bytes.ok()) return bytes.status();
      if (!(*found)->Begin()) return Status(MPROC_ERROR_BUSY, "another task has the block: wait for its end");
      auto use = std::make_unique<pool::BlockUse>(std::move(*found));
      return p.Submit(function_id, {*bytes, true, std::move(use)}, Deadline::After(limit),
                      {callback, error_callback, user_data, release, owner},
                      reinterpret_cast<pool::Future**>(future));
    });
  });
}
