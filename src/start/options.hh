// SPDX-License-Identifier: MIT
// What children that serve functions are made of. A value.
#pragma once

#include <mproc/start.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "task/table.hh"
#include "worker/worker_main.hh"

namespace mproc::start {

struct Options {
  int32_t start_method = MPROC_START_SPAWN;
  bool names_start_method = false;   // else the process's
  std::string module;                // empty: this program itself, or
  std::vector<std::string> command;  // another program, with its arguments, which serves,
  bool command_serves = true;        // or does what it likes
  std::vector<std::pair<std::string, std::optional<std::string>>> environment;  // no value: unset
  std::string directory;                                                        // empty: the host's
  std::string worker_program;
  std::optional<task::Table> table;
  worker::CallEntry call_entry;    // for a module that is loaded by this program
  bool fork_with_threads = false;  // of the host's own

  // Children are made of the host itself: forks of it, or threads in it.
  bool of_host() const { return start_method == MPROC_START_FORK || start_method == MPROC_START_THREADS; }
};

}  // namespace mproc::start
