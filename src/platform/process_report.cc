// SPDX-License-Identifier: MIT
#include "platform/process_report.hh"

#include <unistd.h>

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "platform/proc_file.hh"
#include "platform/symbols.hh"

namespace mproc::platform {
namespace {

const char* NameOfState(char state) {
  switch (state) {
    case 'R':
      return "running";
    case 'S':
      return "sleeping";
    case 'D':
      return "waiting, not to be interrupted";
    case 'T':
      return "stopped by a signal";
    case 't':
      return "stopped by a debugger";
    case 'Z':
    case 'X':
      return "dead";
    default:
      return "in an unknown state";
  }
}

}  // namespace

std::string ProcessReporter::PlaceOf(pid_t pid, uint64_t pc) {
  char hex[32];
  std::snprintf(hex, sizeof hex, "0x%" PRIx64, pc);
  std::string maps = ReadProcFile(pid, "maps");
  for (size_t at = 0; at < maps.size();) {
    size_t end = maps.find('\n', at);
    std::string line = maps.substr(at, end == std::string::npos ? end : end - at);
    at = end == std::string::npos ? maps.size() : end + 1;
    uint64_t from = 0, to = 0, offset = 0;
    int path_at = 0;
    if (std::sscanf(line.c_str(), "%" SCNx64 "-%" SCNx64 " %*s %" SCNx64 " %*s %*s %n", &from, &to, &offset,
                    &path_at) < 3 ||
        pc < from || pc >= to) {
      continue;
    }
    std::string path = path_at > 0 ? line.substr(static_cast<size_t>(path_at)) : "";
    if (path.empty() || path[0] != '/') break;
    auto [known, fresh] = names_.try_emplace({path, pc - from + offset});
    if (fresh) known->second = ResolveSymbol(path, pc - from + offset);
    return std::string(hex) + (known->second.empty() ? "" : " " + known->second) + " (" + path + ")";
  }
  return hex;
}

std::string ProcessReporter::Describe(pid_t pid) {
  std::string stat = ReadProcFile(pid, "stat");
  size_t name_end = stat.rfind(')');  // the name may hold anything
  char state = 0;
  unsigned long user = 0, system = 0;
  if (name_end == std::string::npos ||
      std::sscanf(stat.c_str() + name_end + 1, " %c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %lu %lu", &state,
                  &user, &system) < 1) {
    return "gone";
  }
  std::string text = NameOfState(state);
  std::string waits = ReadProcFile(pid, "wchan");
  if (!waits.empty() && waits != "0") text += " in " + waits;
  std::string call = ReadProcFile(pid, "syscall");
  size_t last = call.find_last_of(' ');
  if (last != std::string::npos) {
    long number = std::strtol(call.c_str(), nullptr, 10);
    if (number >= 0) text += ", system call " + std::to_string(number);
    text += ", at " + PlaceOf(pid, std::strtoull(call.c_str() + last, nullptr, 16));
  }
  uint64_t ticks = static_cast<uint64_t>(std::max(1L, sysconf(_SC_CLK_TCK)));
  text += ", CPU time " + std::to_string((user + system) * 1000 / ticks) + " ms";
  return text;
}

}  // namespace mproc::platform
