// SPDX-License-Identifier: MIT
// The slowest tasks of a pool.
#include <mproc/pool.h>

#include <cstring>

#include "capi/objects.hh"

using namespace mproc;
using namespace mproc::capi;
using pool::Pool;

namespace {

int64_t NumberOf(const pool::SlowTask& slow, int32_t which) {
  switch (which) {
    case MPROC_SLOWEST_ELAPSED:
      return slow.elapsed;
    case MPROC_SLOWEST_TASK:
      return static_cast<int64_t>(slow.task);
    case MPROC_SLOWEST_FUNCTION:
      return slow.function;
    case MPROC_SLOWEST_WORKER:
      return slow.worker;
    case MPROC_SLOWEST_ITEM:
      return static_cast<int64_t>(slow.item);
    case MPROC_SLOWEST_ITEMS:
      return static_cast<int64_t>(slow.items);
    default:
      return static_cast<int64_t>(slow.size);
  }
}

}  // namespace

mproc_status_t mproc_pool_slowest(mproc_pool_t* pool, size_t index, int32_t which, int64_t* value) {
  return GuardPool(pool, [&](Pool& p) {
    if (!value) return BadArgument("value is null");
    if (which < MPROC_SLOWEST_ELAPSED || which > MPROC_SLOWEST_SIZE) {
      return BadArgument("this is none of MPROC_SLOWEST_");
    }
    auto slow = p.SlowestAt(index);
    if (slow.ok()) *value = NumberOf(*slow, which);
    return slow.status();
  });
}

mproc_status_t mproc_pool_slowest_argument(mproc_pool_t* pool, size_t index, void* buffer, size_t capacity,
                                           size_t* size) {
  return GuardPool(pool, [&](Pool& p) -> Status {
    if (!buffer && capacity) return BadArgument("buffer is null, capacity is not 0");
    auto slow = p.SlowestAt(index);
    if (!slow.ok()) return slow.status();
    ByteView bytes = slow->argument();
    if (size) *size = bytes.size();
    if (bytes.size() > capacity) return Status(MPROC_ERROR_BUFFER_TOO_SMALL);
    if (!bytes.empty()) std::memcpy(buffer, bytes.data(), bytes.size());
    return Status();
  });
}
