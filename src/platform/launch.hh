// SPDX-License-Identifier: MIT
// Starts a program so that the process that asks for it cannot tell: no SIGCHLD, nothing for its wait().
// Any thread.
#pragma once

#include "platform/fd.hh"
#include "platform/pidfd.hh"

namespace mproc::platform {

// The descriptors of a launched program, besides the null device on 0, 1 and 2.
inline constexpr int kLaunchedControl = 3;
inline constexpr int kLaunchedHost = 4;  // a pidfd of the process that launched it; may be missing

struct LaunchOrder {
  const char* program;
  const char* const* arguments;    // null-terminated, arguments[0] included
  const char* const* environment;  // null-terminated; null for that of this process
  int control;                     // becomes kLaunchedControl; borrowed
};

struct Launched {
  ProcessRef process;
  // This process is the reaper of orphans (process 1 or a subreaper): the program is its child after all
  // and must be reaped by number.
  bool is_child = false;
};

// Returns when the program runs, or the reason why it does not.
Result<Launched> Launch(const LaunchOrder& order);

}  // namespace mproc::platform
