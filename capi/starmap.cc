// SPDX-License-Identifier: MIT
#include <mproc/starmap.h>

#include <vector>

#include "capi/guard.hh"
#include "task/arguments.hh"

using namespace mproc;
using namespace mproc::capi;

namespace {

// The items of a map, each a list of arguments.
struct Packed {
  std::vector<std::byte> bytes;
  std::vector<const void*> items;
  std::vector<size_t> sizes;
};

Status Pack(const void* const* arguments, const size_t* sizes, size_t arity, size_t count, Packed* packed) {
  size_t all;
  if (__builtin_mul_overflow(arity, count, &all)) return Status(MPROC_ERROR_TOO_LARGE);
  if (sizes && !arguments && all) return BadArgument("arguments is null");
  for (size_t i = 0; sizes && i < all; i++) {
    if (!arguments[i] && sizes[i]) return BadArgument("an argument is null, its size is not 0");
    if (sizes[i] > packed->bytes.max_size()) return Status(MPROC_ERROR_TOO_LARGE);
  }
  for (size_t i = 0; i < count; i++) {
    size_t before = packed->bytes.size(), first = i * arity;
    task::PackArguments(sizes ? arguments + first : nullptr, sizes ? sizes + first : nullptr, arity,
                        &packed->bytes);
    packed->sizes.push_back(packed->bytes.size() - before);
  }
  const std::byte* at = packed->bytes.data();
  for (size_t size : packed->sizes) {
    packed->items.push_back(at);
    at += size;
  }
  return Status();
}

}  // namespace

mproc_status_t mproc_pool_starmap(mproc_pool_t* pool, uint32_t function_id, const void* const* arguments,
                                  const size_t* sizes, size_t arity, size_t count, int64_t chunk,
                                  int32_t mode, int64_t limit, mproc_future_t** future) {
  Packed packed;
  mproc_status_t status = Guard([&] { return Pack(arguments, sizes, arity, count, &packed); });
  if (status != MPROC_OK) return status;
  return mproc_pool_map(pool, function_id, packed.items.data(), packed.sizes.data(), count, chunk, mode,
                        limit, future);
}

mproc_status_t mproc_pool_starmap_with(mproc_pool_t* pool, uint32_t function_id, const void* const* arguments,
                                       const size_t* sizes, size_t arity, size_t count, int64_t chunk,
                                       int32_t mode, mproc_task_options_t* options, mproc_future_t** future) {
  Packed packed;
  mproc_status_t status = Guard([&] { return Pack(arguments, sizes, arity, count, &packed); });
  if (status != MPROC_OK) return status;
  return mproc_pool_map_with(pool, function_id, packed.items.data(), packed.sizes.data(), count, chunk, mode,
                             options, future);
}
