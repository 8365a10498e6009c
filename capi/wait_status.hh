// SPDX-License-Identifier: MIT
// What calls that wait for an object return.
#pragma once

#include "base/status.hh"
#include "sync/sleep.hh"

namespace mproc::capi {

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
