// SPDX-License-Identifier: MIT
// What calls on locks return, and those that wait for another object.
#pragma once

#include "base/status.hh"
#include "sync/lock.hh"

namespace mproc::capi {

inline Status StatusOf(sync::Acquired acquired) {
  switch (acquired) {
    case sync::Acquired::kYes:
      return Status();
    case sync::Acquired::kOwnerDied:
      return Status(MPROC_ERROR_OWNER_DIED);
    case sync::Acquired::kTimedOut:
      return Status(MPROC_ERROR_TIMED_OUT);
    case sync::Acquired::kInterrupted:
      return Status(MPROC_ERROR_INTERRUPTED);
    case sync::Acquired::kTooDeep:
      return Status(MPROC_ERROR_TOO_DEEP, "the lock was acquired 2147483647 times by its holder");
  }
  return Status(MPROC_ERROR_INTERNAL);
}

inline Status StatusOf(sync::Released released) {
  switch (released) {
    case sync::Released::kYes:
      return Status();
    case sync::Released::kWasFree:
      return Status(MPROC_ERROR_RELEASED_TOO_OFTEN);
    case sync::Released::kNotHolder:
      return Status(MPROC_ERROR_NOT_HOLDER);
  }
  return Status(MPROC_ERROR_INTERNAL);
}

inline Status StatusOf(sync::Wait wait) {
  switch (wait) {
    case sync::Wait::kDone:
      return Status();
    case sync::Wait::kTimedOut:
      return Status(MPROC_ERROR_TIMED_OUT);
    case sync::Wait::kInterrupted:
      return Status(MPROC_ERROR_INTERRUPTED);
  }
  return Status(MPROC_ERROR_INTERNAL);
}

}  // namespace mproc::capi
