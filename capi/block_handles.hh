// SPDX-License-Identifier: MIT
// The handles of blocks.
#pragma once

#include <mproc/block.h>

#include "capi/objects.hh"
#include "pool/shared_block.hh"

namespace mproc::capi {

using BlockHandles = Handles<pool::SharedBlock, 5>;

inline Result<std::shared_ptr<pool::SharedBlock>> FindBlock(mproc_block_t* handle) {
  BlockHandles::Pinned pinned;
  if (Status known = BlockHandles::Get().Find(handle, &pinned); !known.ok()) return known;
  return pinned.Share();
}

// A part of a block; INVALID_ARGUMENT if it is not all there.
inline Result<ByteView> PartOf(const pool::SharedBlock& block, size_t offset, size_t size) {
  if (offset > block.size() || size > block.size() - offset) {
    return BadArgument("the bytes are not all in the block");
  }
  return ByteView(block.data() + offset, size);
}

}  // namespace mproc::capi
