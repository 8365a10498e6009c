// SPDX-License-Identifier: MIT
// CPUs: how many this process may use, and which one this thread runs on.
#pragma once

#include <cstdint>
#include <string>

namespace mproc::platform {

// Whether there are several: asked once.
bool SeveralCpus();

// The least of cores, affinity mask and cgroup CPU quota (rounded up); at least 1.
int UsableCpus();

// CPUs in a quota of the form of cgroup v2's cpu.max ("max 100000", "150000 100000"); 0 for no limit.
int QuotaCpus(const std::string& cpu_max);

// Number of the CPU this thread runs on now.
uint32_t CurrentCpu();

// Lets others run on this CPU first.
void YieldCpu();

// True if the affinity mask of this thread has one CPU only.
bool PinnedToOneCpu();

}  // namespace mproc::platform
