// SPDX-License-Identifier: MIT
// Maps of functions that take several arguments. An item is then a list: here of bytes, packed by the
// library; else any list made with value.h, as an item of any other map. So a function can be written in any
// language for both.
#ifndef MPROC_STARMAP_H
#define MPROC_STARMAP_H

#include <mproc/map.h>

// mproc_pool_map over `count` calls with `arity` arguments each: argument k of call i is the
// `sizes[i * arity + k]` bytes at `arguments[i * arity + k]` (`sizes` null: every size is 0), which are
// copied. The function reads them with mproc_starmap_argument, or its input as the value that is a list of
// bytes. Returns as mproc_pool_map. Since 0.1.
MPROC_API mproc_status_t mproc_pool_starmap(mproc_pool_t* pool, uint32_t function_id,
                                            const void* const* arguments, const size_t* sizes, size_t arity,
                                            size_t count, int64_t chunk, int32_t mode, int64_t limit,
                                            mproc_future_t** future);

// The same without waiting; options as in mproc_pool_map_with, callbacks among them, may be null. Returns as
// mproc_pool_map_with. Since 0.1.
MPROC_API mproc_status_t mproc_pool_starmap_with(mproc_pool_t* pool, uint32_t function_id,
                                                 const void* const* arguments, const size_t* sizes,
                                                 size_t arity, size_t count, int64_t chunk, int32_t mode,
                                                 mproc_task_options_t* options, mproc_future_t** future);

// For the function: writes where argument `index` (from 0) lies in its input, and its size, to *data and
// *argument_size. Any list of bytes and strings is such an input. Any thread. Returns OK; NO_VALUE if there
// are fewer arguments; WRONG_KIND if this one, or one before it, is neither bytes nor a string; BAD_VALUE if
// the input is no list; INVALID_ARGUMENT. Since 0.1.
MPROC_API mproc_status_t mproc_starmap_argument(const void* input, size_t size, uint64_t index,
                                                const void** data, size_t* argument_size);

#endif
