// SPDX-License-Identifier: MIT
// Keeps pthread_cancel from ending the calling thread half way through a call. Lives on the stack of one
// thread.
#pragma once

#include <pthread.h>

namespace mproc::platform {

class CancellationOff {
 public:
  CancellationOff() { pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old_state_); }
  ~CancellationOff() { pthread_setcancelstate(old_state_, nullptr); }
  CancellationOff(const CancellationOff&) = delete;
  CancellationOff& operator=(const CancellationOff&) = delete;

 private:
  int old_state_ = 0;
};

}  // namespace mproc::platform
