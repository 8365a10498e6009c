// SPDX-License-Identifier: MIT
#include "platform/limits.hh"

#include <errno.h>
#include <sched.h>
#include <sys/resource.h>

#include <string>

namespace mproc::platform {
namespace {

Status Set(int resource, uint64_t soft, uint64_t hard, const char* what) {
  rlimit limit{soft, hard};
  if (setrlimit(static_cast<__rlimit_resource>(resource), &limit) == 0) return Status();
  return Status::System(std::string("limiting its ") + what + " to " + std::to_string(soft), errno);
}

}  // namespace

Status LimitAddressSpace(uint64_t bytes) { return Set(RLIMIT_AS, bytes, bytes, "memory"); }
Status LimitCpuTime(uint64_t seconds) { return Set(RLIMIT_CPU, seconds, seconds + 1, "CPU seconds"); }
Status LimitFiles(uint64_t count) { return Set(RLIMIT_NOFILE, count, count, "open files"); }

Status SetNiceness(int32_t nice) {
  if (setpriority(PRIO_PROCESS, 0, nice) == 0) return Status();
  return Status::System("setting its niceness to " + std::to_string(nice), errno);
}

Status RunOnCpus(std::span<const int32_t> cpus) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (int32_t cpu : cpus) CPU_SET(static_cast<size_t>(cpu), &set);
  if (sched_setaffinity(0, sizeof set, &set) == 0) return Status();
  std::string list;
  for (int32_t cpu : cpus) list += (list.empty() ? "" : ", ") + std::to_string(cpu);
  return Status::System("letting it run on CPU " + list, errno);
}

std::vector<int32_t> AllowedCpus() {
  cpu_set_t set;
  std::vector<int32_t> cpus;
  if (sched_getaffinity(0, sizeof set, &set) != 0) return cpus;
  for (int32_t cpu = 0; cpu < kMostCpus; cpu++) {
    if (CPU_ISSET(static_cast<size_t>(cpu), &set)) cpus.push_back(cpu);
  }
  return cpus;
}

}  // namespace mproc::platform
