// SPDX-License-Identifier: MIT
// What a worker is told to live by: part of its set-up.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace mproc::task {

struct WorkerTerms {
  uint64_t memory = 0;  // bytes of its own: with more, it asks to leave after a task; 0: no limit
  bool has_finalizer = false;
  uint32_t finalizer = 0;  // function that it runs when it was told to finish
  std::string finalizer_data;
  bool finalizer_told = false;  // the host is told what it gives
  // Limits of its process; 0: as they are.
  uint64_t address_space = 0;  // bytes
  uint64_t cpu_seconds = 0;
  uint64_t files = 0;
  bool has_nice = false;
  int32_t nice = 0;
  std::vector<int32_t> cpus;  // that it may run on; none: as they are
};

}  // namespace mproc::task
