// SPDX-License-Identifier: MIT
#include "platform/cpu.hh"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>

#include "platform/cgroup.hh"

namespace mproc::platform {
namespace {

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
  ForEachGroup("cpu", [&](const std::string& folder, bool unified) {
    if (unified) return take(QuotaCpus(ReadLine(folder + "/cpu.max")));
    std::string quota = ReadLine(folder + "/cpu.cfs_quota_us");
    std::string period = ReadLine(folder + "/cpu.cfs_period_us");
    if (!quota.empty() && quota[0] != '-' && !period.empty()) take(QuotaCpus(quota + " " + period));
  });
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

bool SeveralCpus() {
  static std::atomic<int> g_cpus{0};
  int known = g_cpus.load(std::memory_order_relaxed);
  if (known == 0) g_cpus.store(known = UsableCpus(), std::memory_order_relaxed);
  return known > 1;
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
