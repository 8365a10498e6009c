// SPDX-License-Identifier: MIT
// What a pool's workers live by. A value; 0 means no limit unless said.
#pragma once

#include <mproc/worker_options.h>

#include <cstdint>

#include "platform/limits.hh"
#include "task/worker_terms.hh"

namespace mproc::pool {

using platform::kMostCpus;

struct LastCallOptions {
  mproc_finalizer_cb callback = nullptr;
  void* user_data = nullptr;
};

struct WorkerOptions {
  static constexpr uint64_t kUnlimited = UINT64_MAX;

  uint64_t tasks = kUnlimited;  // that it is given in its life
  int64_t age = 0;              // nanoseconds from its hello
  int64_t idle = 0;             // nanoseconds without a task
  int32_t least = 1;            // workers that stay, however idle
  task::WorkerTerms terms;      // what it is told
  LastCallOptions last_call;    // what is told of its end
  bool one_cpu_each = false;    // of terms.cpus or, if there are none, of those that the host may use
  int32_t deaths = 0;           // more of them within death_span break the pool; death_span 0: no limit
  int64_t death_span = 0;

  // Whether something of it can be had by workers only that are processes.
  bool NeedsProcess() const {
    bool limited = terms.memory || terms.address_space || terms.cpu_seconds || terms.files;
    return limited || terms.has_nice || !terms.cpus.empty() || one_cpu_each;
  }
};

}  // namespace mproc::pool
