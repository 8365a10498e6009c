// SPDX-License-Identifier: MIT
// The calls on objects that processes share, on messages and on listeners.
#pragma once

#include "calls.hh"

namespace hostile {

using Add =
    std::function<void(const char* name, Kind kind, std::function<int32_t(void*)> call, int32_t on_null)>;

void AddObjectCalls(const Add& add);

}  // namespace hostile
