// SPDX-License-Identifier: MIT
// What a pool is made with. A value.
#pragma once

#include <mproc/options.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "pool/worker_options.hh"
#include "task/table.hh"
#include "worker/worker_main.hh"

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

struct Options {
  int32_t workers = 0;  // 0: the default of this machine
  std::string name = "Pool";
  int32_t start_method = MPROC_START_SPAWN;
  bool names_start_method = false;   // else the process's
  std::string module;                // empty: this program itself, or
  std::vector<std::string> command;  // a program that serves, with its arguments
  std::vector<std::pair<std::string, std::optional<std::string>>> environment;  // no value: unset
  std::string directory;                                                        // empty: the host's
  std::string worker_program;
  std::optional<task::Table> table;
  worker::CallEntry call_entry;    // for a module that is loaded by this program
  bool fork_with_threads = false;  // of the host's own
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

  // Workers are made of the host itself: forks of it, or threads in it.
  bool of_host() const { return start_method == MPROC_START_FORK || start_method == MPROC_START_THREADS; }
};

}  // namespace mproc::pool
