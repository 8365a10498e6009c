// SPDX-License-Identifier: MIT
#include "platform/cpu.hh"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <vector>

namespace mproc::platform {
namespace {

// Lines of a file, empty if it cannot be read. No streams: their set-up costs every process that links them.
std::vector<std::string> ReadLines(const std::string& path) {
  std::vector<std::string> lines;
  FILE* file = fopen(path.c_str(), "re");
  if (!file) return lines;
  char buffer[4096];
  while (fgets(buffer, sizeof buffer, file)) {
    std::string line(buffer);
    if (!line.empty() && line.back() == '\n') line.pop_back();
    lines.push_back(std::move(line));
  }
  fclose(file);
  return lines;
}

std::string ReadLine(const std::string& path) {
  auto lines = ReadLines(path);
  return lines.empty() ? std::string() : lines[0];
}

bool NamesCpu(const std::string& controllers) {
  return ("," + controllers + ",").find(",cpu,") != std::string::npos;
}

int AtLeastOne(int64_t quota, int64_t period) {
  if (quota <= 0 || period <= 0) return 0;
  return static_cast<int>(std::clamp<int64_t>(quota / period + (quota % period != 0), 1, 1 << 20));
}

// The quota of this process's cgroup and of each one above it: the tightest holds. 0 for none.
int CgroupCpus() {
  int least = 0;
  auto take = [&](int cpus) {
    if (cpus > 0 && (least == 0 || cpus < least)) least = cpus;
  };
  for (const std::string& line : ReadLines("/proc/self/cgroup")) {
    size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    std::string controllers = line.substr(first + 1, second - first - 1), path = line.substr(second + 1);
    bool unified = controllers.empty();
    if (!unified && !NamesCpu(controllers)) continue;
    for (;;) {
      if (path == "/") path.clear();
      if (unified) {
        take(QuotaCpus(ReadLine("/sys/fs/cgroup" + path + "/cpu.max")));
      } else {
        for (const char* mount : {"/sys/fs/cgroup/cpu", "/sys/fs/cgroup/cpu,cpuacct"}) {
          std::string quota = ReadLine(mount + path + "/cpu.cfs_quota_us");
          std::string period = ReadLine(mount + path + "/cpu.cfs_period_us");
          if (!quota.empty() && quota[0] != '-' && !period.empty()) take(QuotaCpus(quota + " " + period));
        }
      }
      if (path.empty()) break;
      path.resize(path.rfind('/') == std::string::npos ? 0 : path.rfind('/'));
    }
  }
  return least;
}

}  // namespace

int QuotaCpus(const std::string& cpu_max) {
  long long quota = 0, period = 0;
  if (sscanf(cpu_max.c_str(), "%lld %lld", &quota, &period) != 2) return 0;
  return AtLeastOne(quota, period);
}

int UsableCpus() {
  int cpus = static_cast<int>(std::max(1L, sysconf(_SC_NPROCESSORS_ONLN)));
  cpu_set_t mask;
  if (sched_getaffinity(0, sizeof mask, &mask) == 0) cpus = std::min(cpus, std::max(1, CPU_COUNT(&mask)));
  int quota = CgroupCpus();
  return quota > 0 ? std::min(cpus, quota) : cpus;
}

uint32_t CurrentCpu() {
  int cpu = sched_getcpu();
  return cpu < 0 ? 0 : static_cast<uint32_t>(cpu);
}

void YieldCpu() { sched_yield(); }

bool PinnedToOneCpu() {
  cpu_set_t mask;
  return sched_getaffinity(0, sizeof mask, &mask) == 0 && CPU_COUNT(&mask) == 1;
}

}  // namespace mproc::platform
