// SPDX-License-Identifier: MIT
#include "object/object.hh"

namespace mproc::object {

const char* NameOf(Kind kind) {
  switch (kind) {
    case Kind::kLock:
      return "lock";
    case Kind::kSemaphore:
      return "semaphore";
    case Kind::kEvent:
      return "event";
    case Kind::kCondition:
      return "condition";
    case Kind::kBarrier:
      return "barrier";
    case Kind::kMemory:
      return "memory";
    case Kind::kArray:
      return "array";
    case Kind::kQueue:
      return "queue";
    case Kind::kConnection:
      return "connection";
    case Kind::kSegment:
      return "segment";
  }
  return "object of no known kind";
}

}  // namespace mproc::object
