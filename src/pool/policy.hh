// SPDX-License-Identifier: MIT
// What a task or map may take and how it is run again, beyond its payload. A value; times in nanoseconds.
#pragma once

#include <mproc/task_options.h>

#include <cstdint>

namespace mproc::pool {

struct Policy {
  int64_t time_limit = 0;  // of each task, from its start, until it should stop; 0: none
  int64_t grace = 0;       // from there, or from a deadline, until its worker is killed
  int64_t deadline = 0;    // of the whole, from its submission; 0: none
  uint32_t retries = 0;    // times that a task is run again
  uint32_t retry_on = 0;   // MPROC_RETRY_ON_
  int64_t back_off = 0;    // before the first retry; doubled for each that follows
  int32_t priority = 0;    // higher ones go first

  bool any() const { return time_limit || deadline || retries || priority; }
  bool Retries(int32_t outcome, uint32_t attempts) const {
    if (attempts >= retries) return false;
    switch (outcome) {
      case MPROC_OUTCOME_WORKER_LOST:
        return retry_on & MPROC_RETRY_ON_LOST;
      case MPROC_OUTCOME_ERROR:
        return retry_on & MPROC_RETRY_ON_ERROR;
      case MPROC_OUTCOME_TIMED_OUT:
        return retry_on & MPROC_RETRY_ON_TIMEOUT;
      default:
        return false;
    }
  }
  // How long to wait before a task is run again that was run `attempts` times.
  int64_t BackOff(uint32_t attempts) const {
    constexpr int64_t kMost = 3600 * int64_t{1'000'000'000};
    int64_t delay = back_off;
    for (uint32_t i = 0; i < attempts && delay < kMost; i++) delay *= 2;
    return delay < kMost ? delay : kMost;
  }
};

inline constexpr Policy kNoPolicy{};

}  // namespace mproc::pool
