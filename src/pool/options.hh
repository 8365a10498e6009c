// SPDX-License-Identifier: MIT
// What a pool is made with. A value.
#pragma once

#include <mproc/options.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "task/table.hh"

namespace mproc::pool {

struct Options {
  int32_t workers = 0;  // 0: the default of this machine
  std::string name = "Pool";
  std::string module;  // empty: this program itself
  std::string worker_program;
  std::optional<task::Table> table;
  bool has_initializer = false;
  uint32_t initializer = 0;
  std::vector<std::byte> initializer_data;
  uint64_t queue_tasks = 0;  // 0: no bound
  uint64_t queue_bytes = 0;
  int32_t polling = MPROC_POLLING_ADAPTIVE;
  int32_t callbacks = MPROC_CALLBACKS_THREAD;
  int64_t terminate_grace = 100 * MPROC_MILLISECOND;
  int64_t start_limit = 10 * MPROC_SECOND;
};

}  // namespace mproc::pool
