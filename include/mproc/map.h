// SPDX-License-Identifier: MIT
// Maps: one function over many items, cut into chunks of which each is one task.
#ifndef MPROC_MAP_H
#define MPROC_MAP_H

#include <mproc/pool.h>

// Chunks of different sizes, chosen as the map goes on: each is to take about a millisecond by what the items
// before it took, they become smaller towards the end, so that the workers end together, and none is more
// than ceil(items / (4 * workers)) items or 32 KiB of input or results. Good for items of any time, also if
// some take much longer than others.
#define MPROC_CHUNK_AUTO INT64_MIN

// What a chunk does after an item failed.
enum {
  MPROC_MAP_STOP_CHUNK = 0,  // the rest of that chunk is not run; other chunks are: default of the field
  MPROC_MAP_KEEP_GOING = 1   // every item is run; each has its own result or error
};

// Maps over byte items and waits at most `limit`. `items[i]` and `sizes[i]` (null: every size is 0) describe
// item i; they are copied. The future in *future holds all results in input order (mproc_future_item) and is
// the caller's; its outcome is VALUE if every item succeeded, else the error that arrived first. A map of
// nothing is ready at once. Returns OK when it has ended, whatever its end; INVALID_ARGUMENT (chunk less
// than 1), and as mproc_pool_submit. After TIMED_OUT and INTERRUPTED *future is set, too, and the map goes
// on. Not from a callback of the same pool (WOULD_BLOCK_ITSELF). Since 0.1.
MPROC_API mproc_status_t mproc_pool_map(mproc_pool_t* pool, uint32_t function_id, const void* const* items,
                                        const size_t* sizes, size_t count, int64_t chunk, int32_t mode,
                                        int64_t limit, mproc_future_t** future);

// The same without waiting for the end; callbacks as in mproc_pool_submit_callback, called once for the
// whole map (a map of nothing calls `callback`). `future` may be null. Chunks count as tasks in the bounds
// of the queue, but a map is always taken whole. Returns OK, INVALID_ARGUMENT (chunk less than 1; items or
// mode; a callback with MPROC_CALLBACKS_NEXT), UNKNOWN_FUNCTION, NOT_RUNNING, BROKEN, TOO_LARGE,
// OUT_OF_MEMORY. Since 0.1.
MPROC_API mproc_status_t mproc_pool_map_async(mproc_pool_t* pool, uint32_t function_id,
                                              const void* const* items, const size_t* sizes, size_t count,
                                              int64_t chunk, int32_t mode, mproc_future_cb callback,
                                              mproc_future_cb error_callback, void* user_data,
                                              mproc_future_t** future);

// Maps over an array: item i is the `input_stride` bytes at input + i * input_stride, and its value, of
// exactly `output_stride` bytes, is written to output + i * output_stride. Both arrays are borrowed until
// the map has ended. output may be null if output_stride is 0. Values of items that failed or were not run
// leave their place untouched. Waits at most `limit`; returns as mproc_pool_map. After TIMED_OUT and
// INTERRUPTED the arrays are still in use: wait for *future. Since 0.1.
MPROC_API mproc_status_t mproc_pool_map_array(mproc_pool_t* pool, uint32_t function_id, const void* input,
                                              size_t input_stride, size_t count, void* output,
                                              size_t output_stride, int64_t chunk, int64_t limit,
                                              mproc_future_t** future);

// The same without waiting; callbacks and what it returns as mproc_pool_map_async. Since 0.1.
MPROC_API mproc_status_t mproc_pool_map_array_async(mproc_pool_t* pool, uint32_t function_id,
                                                    const void* input, size_t input_stride, size_t count,
                                                    void* output, size_t output_stride, int64_t chunk,
                                                    mproc_future_cb callback, mproc_future_cb error_callback,
                                                    void* user_data, mproc_future_t** future);

// mproc_pool_map_async with options, which may be null: limits and retries are those of each chunk, the
// deadline that of the whole map. Returns as mproc_pool_map_async. Since 0.1.
MPROC_API mproc_status_t mproc_pool_map_with(mproc_pool_t* pool, uint32_t function_id,
                                             const void* const* items, const size_t* sizes, size_t count,
                                             int64_t chunk, int32_t mode, mproc_task_options_t* options,
                                             mproc_future_t** future);

// mproc_pool_map_array_async with options, as mproc_pool_map_with. Since 0.1.
MPROC_API mproc_status_t mproc_pool_map_array_with(mproc_pool_t* pool, uint32_t function_id,
                                                   const void* input, size_t input_stride, size_t count,
                                                   void* output, size_t output_stride, int64_t chunk,
                                                   mproc_task_options_t* options, mproc_future_t** future);

#endif
