// SPDX-License-Identifier: MIT
#include <mproc/bound.h>
#include <mproc/object.h>

#include "capi/block_handles.hh"
#include "capi/guard.hh"
#include "capi/objects.hh"
#include "capi/passing.hh"

using namespace mproc;
using namespace mproc::capi;
using pool::Pool;

namespace {

Status Bind(Pool& pool, uint32_t function, ByteView bytes, const pool::SharedBlock* block,
            std::vector<object::PassedObject> objects, uint32_t* bound_id) {
  if (!bound_id) return BadArgument("bound_id is null");
  auto bound = pool.Bind(function, bytes, block, std::move(objects));
  if (bound.ok()) *bound_id = *bound;
  return bound.status();
}

}  // namespace

mproc_status_t mproc_pool_bind(mproc_pool_t* pool, uint32_t function_id, const void* data, size_t size,
                               uint32_t* bound_id) {
  return GuardPool(pool, [&](Pool& p) {
    if (!data && size) return BadArgument("data is null, size is not 0");
    return Bind(p, function_id, AsBytes(data, size), nullptr, {}, bound_id);
  });
}

mproc_status_t mproc_pool_bind_block(mproc_pool_t* pool, uint32_t function_id, mproc_block_t* block,
                                     size_t offset, size_t size, uint32_t* bound_id) {
  return GuardPool(pool, [&](Pool& p) -> Status {
    auto found = FindBlock(block);
    if (!found.ok()) return found.status();
    auto part = PartOf(**found, offset, size);
    if (!part.ok()) return part.status();
    return Bind(p, function_id, *part, found->get(), {}, bound_id);
  });
}

mproc_status_t mproc_pool_bind_objects(mproc_pool_t* pool, uint32_t function_id, const void* data,
                                       size_t size, void* const* objects, size_t count, uint32_t* bound_id) {
  return GuardPool(pool, [&](Pool& p) -> Status {
    if (!data && size) return BadArgument("data is null, size is not 0");
    if (count == 0) return BadArgument("there are 1 to 64 objects");
    auto passed = PassAll(objects, count);
    if (!passed.ok()) return passed.status();
    return Bind(p, function_id, AsBytes(data, size), nullptr, std::move(*passed), bound_id);
  });
}

mproc_status_t mproc_pool_unbind(mproc_pool_t* pool, uint32_t bound_id) {
  return GuardPool(pool, [&](Pool& p) { return p.Unbind(bound_id); });
}
