// SPDX-License-Identifier: MIT
// A lock or the like that the host has passed with a bound function. Worker's main thread.
#pragma once

#include <memory>
#include <vector>

#include "platform/fd.hh"

namespace mproc::worker {

struct BoundObject {
  uint32_t kind = 0;
  std::vector<platform::UniqueFd> fds;
  void* handle = nullptr;       // for the functions; null: none has asked yet
  std::shared_ptr<void> owner;  // of the handle
};

}  // namespace mproc::worker
