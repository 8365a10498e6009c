// SPDX-License-Identifier: MIT
#include "platform/identity.hh"

#include <unistd.h>

#include <algorithm>

namespace mproc::platform {

Identity Identity::Now() {
  Identity now;
  getresuid(&now.users[0], &now.users[1], &now.users[2]);
  getresgid(&now.groups[0], &now.groups[1], &now.groups[2]);
  for (;;) {
    int count = getgroups(0, nullptr);
    now.more_groups.resize(static_cast<size_t>(std::max(count, 0)));
    count = getgroups(static_cast<int>(now.more_groups.size()), now.more_groups.data());
    if (count >= 0) {
      now.more_groups.resize(static_cast<size_t>(count));
      return now;
    }
    if (now.more_groups.empty()) return now;  // refused, not grown meanwhile
  }
}

pid_t CurrentPid() { return getpid(); }
uid_t CurrentUser() { return getuid(); }
gid_t CurrentGroup() { return getgid(); }

}  // namespace mproc::platform
