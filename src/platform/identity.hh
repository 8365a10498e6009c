// SPDX-License-Identifier: MIT
// Who this process is to the system: its user, groups and number. Values.
#pragma once

#include <sys/types.h>

#include <array>
#include <vector>

namespace mproc::platform {

// All that decides what a process may do and that a program can change while it runs.
struct Identity {
  std::array<uid_t, 3> users{};   // real, effective, saved
  std::array<gid_t, 3> groups{};  // real, effective, saved
  std::vector<gid_t> more_groups;

  static Identity Now();
  bool operator==(const Identity&) const = default;
};

pid_t CurrentPid();
uid_t CurrentUser();   // the real one
gid_t CurrentGroup();  // the real one

}  // namespace mproc::platform
