// SPDX-License-Identifier: MIT
// What a pool is made with. A value.
#pragma once

#include <mproc/options.h>

#include <cstdint>
#include <string>
#include <vector>

#include "pool/worker_options.hh"
#include "start/options.hh"

namespace mproc::pool {

struct LogOptions {
  mproc_log_cb callback = nullptr;
  void* user_data = nullptr;
  int32_t level = 0;  // the least that is wanted
};

struct OutputOptions {
  mproc_output_cb callback = nullptr;
  void* user_data = nullptr;
};

struct Options : start::Options {
  int32_t workers = 0;  // 0: the default of this machine
  std::string name = "Pool";
  bool has_initializer = false;
  uint32_t initializer = 0;
  std::vector<std::byte> initializer_data;
  uint64_t queue_tasks = 0;  // 0: no bound
  uint64_t queue_bytes = 0;
  int32_t polling = MPROC_POLLING_ADAPTIVE;
  int32_t callbacks = MPROC_CALLBACKS_THREAD;
  int64_t terminate_grace = 100 * MPROC_MILLISECOND;
  LogOptions log;
  OutputOptions output;
  int32_t timing = MPROC_TIMING_SAMPLED;
  int64_t start_limit = 10 * MPROC_SECOND;
  WorkerOptions worker;
};

}  // namespace mproc::pool
