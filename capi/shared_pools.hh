// SPDX-License-Identifier: MIT
// Pools that the parts of a process share by name: how many handles each has. Any thread.
#pragma once

#include <memory>
#include <string>

#include "pool/pool.hh"

namespace mproc::capi {

// The pool of this name, with one more handle; null if none takes tasks.
std::shared_ptr<pool::Pool> FindSharedPool(const std::string& name);
// Shares a pool that was just made; or gives one that another thread has made under this name meanwhile, with
// one more handle.
std::shared_ptr<pool::Pool> SharePool(const std::string& name, std::shared_ptr<pool::Pool> made);
// A handle of any pool is gone: ends the pool if that was its last one.
void LeavePool(pool::Pool& pool);

}  // namespace mproc::capi
