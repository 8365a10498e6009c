// SPDX-License-Identifier: MIT
// Bound arguments: bytes for every call of a function, given once. Each worker gets them once, as memory that
// all share, before the first task there that uses them; a task costs what it costs without them.
#ifndef MPROC_BOUND_H
#define MPROC_BOUND_H

#include <mproc/block.h>
#include <mproc/pool.h>

// Binds a copy of `size` bytes to a function and writes an id that stands for both to *bound_id. It is good
// in every call of this pool that takes the id of a function: submits, maps and lazy maps. The function finds
// the bytes with mproc_call_bound. Ids are 2^31 and above and never given twice. Workers that are started
// later get the bytes as well. They take `size` bytes of shared memory and one descriptor until
// mproc_pool_unbind and the end of the pool's last task with them, or until the pool is destroyed. Any
// thread. Returns OK, INVALID_ARGUMENT (data is null, size is not 0; bound_id is null; function_id is bound),
// UNKNOWN_FUNCTION, NOT_RUNNING, BROKEN, TOO_LARGE, OUT_OF_MEMORY, DESCRIPTOR_LIMIT, SYSTEM. Since 0.1.
MPROC_API mproc_status_t mproc_pool_bind(mproc_pool_t* pool, uint32_t function_id, const void* data,
                                         size_t size, uint32_t* bound_id);

// The same with the `size` bytes at `offset` of a block, where they lie: nothing is copied. Workers see what
// is written there later. The block can be destroyed, and be the payload of tasks, all the same. Any thread.
// Returns as mproc_pool_bind, and INVALID_ARGUMENT (the bytes are not all in the block), INVALID_HANDLE and
// STALE_HANDLE for the block, too. Since 0.1.
MPROC_API mproc_status_t mproc_pool_bind_block(mproc_pool_t* pool, uint32_t function_id, mproc_block_t* block,
                                               size_t offset, size_t size, uint32_t* bound_id);

// Lets the pool take no more tasks with this id. Those that it has run as they would; a lazy map that goes on
// ends with items that are not run. Any thread. Returns OK, UNKNOWN_FUNCTION (unbound before, or not of this
// pool). Since 0.1.
MPROC_API mproc_status_t mproc_pool_unbind(mproc_pool_t* pool, uint32_t bound_id);

#endif
