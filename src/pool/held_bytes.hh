// SPDX-License-Identifier: MIT
// Who keeps the bytes of a future that lie neither in its record nor on the heap: a block that a worker lent,
// or a block of the host's own.
#pragma once

#include "base/bytes.hh"

namespace mproc::pool {

class Holder {
 public:
  virtual ~Holder() = default;  // the bytes are not needed any more
  // The task has ended, and its value is in these bytes: only who looks at the value needs them now.
  virtual void TaskEnded() {}
  // All bytes that a worker may answer in place with.
  virtual ByteView Whole() const { return {}; }
};

}  // namespace mproc::pool
