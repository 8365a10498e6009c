// SPDX-License-Identifier: MIT
#include "platform/streams.hh"

#include <stdio.h>
#include <stdio_ext.h>

namespace mproc::platform {

void FlushStandardStreams() {
  if (__fpending(stdout)) fflush(stdout);
  if (__fpending(stderr)) fflush(stderr);
}

}  // namespace mproc::platform
