// SPDX-License-Identifier: MIT
// Limits of this process that its children inherit, its niceness, and the CPUs that it may run on. An error
// says what the system refused.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/status.hh"

namespace mproc::platform {

inline constexpr int32_t kMostCpus = 1024;

Status LimitAddressSpace(uint64_t bytes);
// A second beyond it the process is killed even if it minds SIGXCPU.
Status LimitCpuTime(uint64_t seconds);
Status LimitFiles(uint64_t count);
Status SetNiceness(int32_t nice);
Status RunOnCpus(std::span<const int32_t> cpus);

// The CPUs that this process may run on, in order.
std::vector<int32_t> AllowedCpus();

}  // namespace mproc::platform
