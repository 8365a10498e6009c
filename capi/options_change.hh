// SPDX-License-Identifier: MIT
// How a setter reaches the options behind its handle.
#pragma once

#include <utility>

#include "capi/objects.hh"

namespace mproc::capi {

// Runs `set` on the options behind the handle.
template <typename Set>
int32_t GuardChange(mproc_pool_options_t* options, Set&& set) {
  return GuardOn<OptionsHandles>(options, std::forward<Set>(set));
}

inline Status CheckPoolSize(int32_t workers) {
  return workers < 1 || workers > 4096 ? BadArgument("a pool has 1 to 4096 workers") : Status();
}

}  // namespace mproc::capi
