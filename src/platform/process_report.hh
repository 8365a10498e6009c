// SPDX-License-Identifier: MIT
// What the system tells of a process that may be stuck: read from /proc, as far as it lets us.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <utility>

namespace mproc::platform {

// One thread.
class ProcessReporter {
 public:
  // One line: state, where in the kernel it waits, the system call and where in the program that was made,
  // CPU time. What cannot be read is left out; "gone" if there is no such process.
  std::string Describe(pid_t pid);

 private:
  std::string PlaceOf(pid_t pid, uint64_t pc);

  std::map<std::pair<std::string, uint64_t>, std::string> names_;  // found so far, by file and offset
};

}  // namespace mproc::platform
