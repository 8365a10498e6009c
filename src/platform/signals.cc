// SPDX-License-Identifier: MIT
#include "platform/signals.hh"

#include <string.h>

namespace mproc::platform {

std::string SignalName(int number) {
  const char* name = sigabbrev_np(number);
  return std::string("SIG") + (name ? name : "?");
}

}  // namespace mproc::platform
