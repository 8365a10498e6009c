// SPDX-License-Identifier: MIT
// The kinds of handles, and how each is turned into the object behind it.
#pragma once

#include <mproc/options.h>
#include <mproc/pool.h>
#include <mproc/table.h>

#include <cstring>

#include "capi/handle_calls.hh"
#include "capi/table_handles.hh"
#include "pool/options.hh"
#include "pool/pool.hh"

namespace mproc::capi {

using OptionsHandles = Handles<pool::Options, 2>;
using PoolHandles = Handles<pool::Pool, 3>;

template <typename Body>
Status OnPool(mproc_pool_t* handle, Body&& body) {
  return On<PoolHandles>(handle, body);
}

// Runs `body` on the pool behind the handle, inside the wall.
template <typename Body>
int32_t GuardPool(mproc_pool_t* handle, Body&& body) {
  return Guard([&] { return OnPool(handle, body); });
}

// The same on the path of a task.
template <typename Body>
int32_t GuardPoolTask(mproc_pool_t* handle, Body&& body) {
  return GuardTask([&] { return OnPool(handle, body); });
}

inline Status CheckPoolName(const char* name) {
  bool good = name && *name && std::strlen(name) <= 63;
  return good ? Status() : BadArgument("the name of a pool has 1 to 63 bytes");
}

// What a call about a task or an item says that ended so, MPROC_OUTCOME_.
int32_t StatusOfOutcome(uint32_t outcome);

}  // namespace mproc::capi
