// SPDX-License-Identifier: MIT
// Blocks: memory that the host and the workers see at once. A task whose payload is a block costs the same
// whatever its size: the function finds the bytes where the host wrote them, and may answer where they lie
// (mproc_call_block, mproc_call_reply_block).
#ifndef MPROC_BLOCK_H
#define MPROC_BLOCK_H

#include <mproc/future.h>
#include <mproc/pool.h>

typedef struct mproc_block mproc_block_t;

// Makes a block of `size` bytes, all zero, in *block, to be destroyed by mproc_block_destroy. Its memory is
// reserved at once. Any thread. Returns OK, INVALID_ARGUMENT (size 0), TOO_LARGE, OUT_OF_MEMORY,
// DESCRIPTOR_LIMIT, SYSTEM. Since 0.1.
MPROC_API mproc_status_t mproc_block_create(size_t size, mproc_block_t** block);

// Writes where the block's bytes are, and how many, to *data and *size (each may be null). They may be read
// and written at any time, but while a task has the block, the worker does so, too. The address is aligned to
// pages and good until the block is destroyed. Any thread. Returns OK, INVALID_HANDLE, STALE_HANDLE,
// INVALID_ARGUMENT. Since 0.1.
MPROC_API mproc_status_t mproc_block_data(mproc_block_t* block, void** data, size_t* size);

// Destroys a block; null is fine. If a task has it or a future's value lies in it, the memory stays until
// the task has ended and the future is released. Any thread. Returns OK, INVALID_HANDLE, STALE_HANDLE. Since
// 0.1.
MPROC_API mproc_status_t mproc_block_destroy(mproc_block_t* block);

// Submits a task whose payload is the `size` bytes at `offset` of a block; nothing is copied. Until the task
// has ended no other task may have the block. `release`, if not null, is called with `owner` exactly once, as
// mproc_pool_submit_borrowed does. Returns as that call, and INVALID_ARGUMENT (the bytes are not
// all in the block), BUSY if another task has the block, INVALID_HANDLE and STALE_HANDLE for the block, too.
// Since 0.1.
MPROC_API mproc_status_t mproc_pool_submit_block(mproc_pool_t* pool, uint32_t function_id,
                                                 mproc_block_t* block, size_t offset, size_t size,
                                                 mproc_release_cb release, void* owner, int64_t limit,
                                                 mproc_future_cb callback, mproc_future_cb error_callback,
                                                 void* user_data, mproc_future_t** future);

#endif
