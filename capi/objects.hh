// SPDX-License-Identifier: MIT
// The kinds of handles, and how each is turned into the object behind it.
#pragma once

#include <mproc/options.h>
#include <mproc/pool.h>
#include <mproc/table.h>

#include "capi/guard.hh"
#include "capi/table_handles.hh"
#include "pool/options.hh"
#include "pool/pool.hh"

namespace mproc::capi {

using OptionsHandles = Handles<pool::Options, 2>;
using PoolHandles = Handles<pool::Pool, 3>;

template <typename Body>
Status OnPool(mproc_pool_t* handle, Body&& body) {
  PoolHandles::Pinned pinned;
  if (Status known = PoolHandles::Get().Find(handle, &pinned); !known.ok()) return known;
  return body(*pinned);
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

// A future's handle is its record's address, checked against the memory of all records.
Status FindFuture(mproc_future_t* handle, pool::Future** future);

}  // namespace mproc::capi
