// SPDX-License-Identifier: MIT
// What calls on locks and the like return for each way in which they end.
#pragma once

#include "base/status.hh"
#include "sync/barrier.hh"
#include "sync/condition.hh"

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

inline Status StatusOf(sync::Waited waited) {
  switch (waited) {
    case sync::Waited::kNotified:
      return Status();
    case sync::Waited::kTimedOut:
      return Status(MPROC_ERROR_TIMED_OUT);
    case sync::Waited::kInterrupted:
      return Status(MPROC_ERROR_INTERRUPTED);
    case sync::Waited::kNotHolder:
      return Status(MPROC_ERROR_NOT_HOLDER, "acquire the condition before a wait");
    case sync::Waited::kTooMany:
      return Status(MPROC_ERROR_TOO_LARGE, "1000 wait for this condition already");
    case sync::Waited::kOwnerDied:
      return Status(MPROC_ERROR_OWNER_DIED);
  }
  return Status(MPROC_ERROR_INTERNAL);
}

inline Status StatusOf(sync::Met met) {
  switch (met) {
    case sync::Met::kAll:
      return Status();
    case sync::Met::kBroken:
      return Status(MPROC_ERROR_BARRIER_BROKEN);
    case sync::Met::kTimedOut:
      return Status(MPROC_ERROR_TIMED_OUT);
    case sync::Met::kActionFailed:
      return Status(MPROC_ERROR_TASK, "the action of the barrier failed");
  }
  return Status(MPROC_ERROR_INTERNAL);
}

}  // namespace mproc::capi
