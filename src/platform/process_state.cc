// SPDX-License-Identifier: MIT
#include "platform/process_state.hh"

#include <cstdio>
#include <cstring>

namespace mproc::platform {

bool IsStopped(pid_t pid) {
  char path[64], line[512];
  std::snprintf(path, sizeof path, "/proc/%d/stat", static_cast<int>(pid));
  FILE* file = std::fopen(path, "re");
  if (!file) return false;
  size_t size = std::fread(line, 1, sizeof line - 1, file);
  std::fclose(file);
  line[size] = 0;
  const char* end = std::strrchr(line, ')');  // the name may hold anything
  return end && end[1] == ' ' && (end[2] == 'T' || end[2] == 't');
}

}  // namespace mproc::platform
