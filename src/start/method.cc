// SPDX-License-Identifier: MIT
#include "start/method.hh"

#include <atomic>

namespace mproc::start {
namespace {

constinit std::atomic<int32_t> g_set{MPROC_START_NONE};

}  // namespace

int32_t DefaultStartMethod() {
  int32_t set = g_set.load(std::memory_order_relaxed);
  return set == MPROC_START_NONE ? MPROC_START_SPAWN : set;
}

Status SetDefaultStartMethod(int32_t method, bool force) {
  int32_t none = MPROC_START_NONE;
  if (force) {
    g_set.store(method, std::memory_order_relaxed);
  } else if (method == MPROC_START_NONE || !g_set.compare_exchange_strong(none, method)) {
    return Status(MPROC_ERROR_INVALID_ARGUMENT,
                  "the start method of this process is set already, or would be taken back: that is to be "
                  "forced");
  }
  return Status();
}

}  // namespace mproc::start
