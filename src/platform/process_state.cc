// SPDX-License-Identifier: MIT
#include "platform/process_state.hh"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <string>

#include "platform/proc_file.hh"

namespace mproc::platform {

bool IsStopped(pid_t pid) {
  std::string stat = ReadProcFile(pid, "stat");
  size_t end = stat.rfind(')');  // the name may hold anything
  return end != std::string::npos && (stat.compare(end, 3, ") T") == 0 || stat.compare(end, 3, ") t") == 0);
}

uint64_t OwnMemory(pid_t pid) {
  unsigned long long resident = 0, shared = 0;
  int read = std::sscanf(ReadProcFile(pid, "statm").c_str(), "%*u %llu %llu", &resident, &shared);
  if (read != 2 || shared > resident) return 0;
  return (resident - shared) * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

int CountThreads() {
  struct stat list;  // has a link to each, and two to itself; needs no descriptor
  return stat("/proc/self/task", &list) == 0 && list.st_nlink > 2 ? static_cast<int>(list.st_nlink) - 2 : 0;
}

}  // namespace mproc::platform
