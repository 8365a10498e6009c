// SPDX-License-Identifier: MIT
#include <mproc/map.h>

#include "capi/guard.hh"
#include "capi/objects.hh"
#include "capi/task_options.hh"
#include "pool/callbacks.hh"
#include "pool/wait.hh"

using namespace mproc;
using namespace mproc::capi;
using pool::MapInput;
using pool::Pool;

namespace {

Status CheckItems(const void* const* items, const size_t* sizes, size_t count) {
  if (!sizes) return Status();
  if (!items && count) return BadArgument("items is null");
  for (size_t i = 0; i < count; i++) {
    if (!items[i] && sizes[i]) return BadArgument("an item is null, its size is not 0");
  }
  return Status();
}

Status StartMap(Pool& pool, uint32_t function, MapInput input, int64_t chunk,
                const pool::Callbacks& callbacks, mproc_future_t** future, const pool::Policy& policy = {}) {
  if (chunk < 1 && chunk != MPROC_CHUNK_AUTO) return BadArgument("a chunk has at least one item");
  input.chunk = chunk == MPROC_CHUNK_AUTO ? 0 : static_cast<uint64_t>(chunk);
  return pool.Map(function, input, callbacks, reinterpret_cast<pool::Future**>(future), policy);
}

Status ItemsInput(const void* const* items, const size_t* sizes, size_t count, int32_t mode,
                  MapInput* input) {
  if (mode != MPROC_MAP_STOP_CHUNK && mode != MPROC_MAP_KEEP_GOING) {
    return BadArgument("mode is none of MPROC_MAP_");
  }
  input->count = count;
  input->items = items;
  input->sizes = sizes;
  input->keep_going = mode == MPROC_MAP_KEEP_GOING;
  return CheckItems(items, sizes, count);
}

Status ArrayInput(const void* in, size_t input_stride, size_t count, void* out, size_t output_stride,
                  MapInput* input) {
  if (!in && input_stride && count) return BadArgument("input is null");
  if (!out && output_stride && count) return BadArgument("output is null, its stride is not 0");
  input->count = count;
  input->is_array = true;
  input->input = static_cast<const std::byte*>(in);
  input->input_stride = input_stride;
  input->output = static_cast<std::byte*>(out);
  input->output_stride = output_stride;
  return Status();
}

Status WaitForMap(int64_t limit, mproc_future_t* future) {
  return pool::WaitOne(reinterpret_cast<pool::Future*>(future), Deadline::After(limit));
}

}  // namespace

mproc_status_t mproc_pool_map(mproc_pool_t* pool, uint32_t function_id, const void* const* items,
                              const size_t* sizes, size_t count, int64_t chunk, int32_t mode, int64_t limit,
                              mproc_future_t** future) {
  return GuardPool(pool, [&](Pool& p) {
    if (!future) return BadArgument("future is null");
    *future = nullptr;
    if (pool::InsideCallbackOf(&p)) return Status(MPROC_ERROR_WOULD_BLOCK_ITSELF);
    MapInput input;
    if (Status good = ItemsInput(items, sizes, count, mode, &input); !good.ok()) return good;
    if (Status begun = StartMap(p, function_id, input, chunk, {.quiet = true}, future); !begun.ok())
      return begun;
    return WaitForMap(limit, *future);
  });
}

mproc_status_t mproc_pool_map_async(mproc_pool_t* pool, uint32_t function_id, const void* const* items,
                                    const size_t* sizes, size_t count, int64_t chunk, int32_t mode,
                                    mproc_future_cb callback, mproc_future_cb error_callback, void* user_data,
                                    mproc_future_t** future) {
  return GuardPool(pool, [&](Pool& p) {
    MapInput input;
    if (Status good = ItemsInput(items, sizes, count, mode, &input); !good.ok()) return good;
    return StartMap(p, function_id, input, chunk, {callback, error_callback, user_data}, future);
  });
}

mproc_status_t mproc_pool_map_array(mproc_pool_t* pool, uint32_t function_id, const void* in,
                                    size_t input_stride, size_t count, void* out, size_t output_stride,
                                    int64_t chunk, int64_t limit, mproc_future_t** future) {
  return GuardPool(pool, [&](Pool& p) {
    if (!future) return BadArgument("future is null");
    *future = nullptr;
    if (pool::InsideCallbackOf(&p)) return Status(MPROC_ERROR_WOULD_BLOCK_ITSELF);
    MapInput input;
    if (Status good = ArrayInput(in, input_stride, count, out, output_stride, &input); !good.ok())
      return good;
    if (Status begun = StartMap(p, function_id, input, chunk, {.quiet = true}, future); !begun.ok())
      return begun;
    return WaitForMap(limit, *future);
  });
}

mproc_status_t mproc_pool_map_array_async(mproc_pool_t* pool, uint32_t function_id, const void* in,
                                          size_t input_stride, size_t count, void* out, size_t output_stride,
                                          int64_t chunk, mproc_future_cb callback,
                                          mproc_future_cb error_callback, void* user_data,
                                          mproc_future_t** future) {
  return GuardPool(pool, [&](Pool& p) {
    MapInput input;
    if (Status good = ArrayInput(in, input_stride, count, out, output_stride, &input); !good.ok())
      return good;
    return StartMap(p, function_id, input, chunk, {callback, error_callback, user_data}, future);
  });
}

mproc_status_t mproc_pool_map_with(mproc_pool_t* pool, uint32_t function_id, const void* const* items,
                                   const size_t* sizes, size_t count, int64_t chunk, int32_t mode,
                                   mproc_task_options_t* options, mproc_future_t** future) {
  return GuardPool(pool, [&](Pool& p) {
    MapInput input;
    TaskOptions how;
    if (Status good = ItemsInput(items, sizes, count, mode, &input); !good.ok()) return good;
    if (Status good = ReadTaskOptions(options, &how); !good.ok()) return good;
    return StartMap(p, function_id, input, chunk, how.callbacks, future, how.policy);
  });
}

mproc_status_t mproc_pool_map_array_with(mproc_pool_t* pool, uint32_t function_id, const void* in,
                                         size_t input_stride, size_t count, void* out, size_t output_stride,
                                         int64_t chunk, mproc_task_options_t* options,
                                         mproc_future_t** future) {
  return GuardPool(pool, [&](Pool& p) {
    MapInput input;
    TaskOptions how;
    if (Status good = ArrayInput(in, input_stride, count, out, output_stride, &input); !good.ok())
      return good;
    if (Status good = ReadTaskOptions(options, &how); !good.ok()) return good;
    return StartMap(p, function_id, input, chunk, how.callbacks, future, how.policy);
  });
}
