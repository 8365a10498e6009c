// SPDX-License-Identifier: MIT
// Descriptors 0, 1 and 2 of a host that has closed them: kept from code that takes the lowest free number
// and does not expect these. Any thread.
#pragma once

namespace mproc::platform {

// Occupies those of them that are free, while it lives.
class LowFdsHeld {
 public:
  LowFdsHeld();
  ~LowFdsHeld();
  LowFdsHeld(const LowFdsHeld&) = delete;
  LowFdsHeld& operator=(const LowFdsHeld&) = delete;

 private:
  bool held_[3] = {};
};

// The same for fork handlers that somebody registers while this lives: when they run in a forked child, the
// numbers are taken. Registers handlers of its own, for good.
class LowFdsHeldInChildren {
 public:
  LowFdsHeldInChildren();
  ~LowFdsHeldInChildren();
  LowFdsHeldInChildren(const LowFdsHeldInChildren&) = delete;
  LowFdsHeldInChildren& operator=(const LowFdsHeldInChildren&) = delete;
};

}  // namespace mproc::platform
