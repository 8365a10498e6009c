// SPDX-License-Identifier: MIT
// Every public function that takes a handle, with the handle left open, to be called with bad ones.
#pragma once

#include <mproc/mproc.h>

#include <functional>
#include <string>
#include <vector>

namespace hostile {

enum class Kind {
  kTable,
  kOptions,
  kPool,
  kFuture,
  kValue,
  kBlock,
  kTaskOptions,
  kImap,
  kLock,
  kSemaphore,
  kEvent,
  kCondition,
  kBarrier,
  kProcess,
  kProcessOptions,
  kConnection,
  kMessage,
  kListener,
  kMemory,
  kSegment,
  kArray,
  kQueue
};

struct HandleCall {
  const char* name;
  Kind kind;
  std::function<int32_t(void*)> call;
  int32_t on_null = MPROC_ERROR_INVALID_ARGUMENT;
};

// All that take a handle, destroying ones last of their kind.
const std::vector<HandleCall>& HandleCalls();

// Names of the functions that have no handle, or only one that cannot be checked (mproc_call_t).
const std::vector<std::string>& OtherFunctions();

}  // namespace hostile
