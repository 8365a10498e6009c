// SPDX-License-Identifier: MIT
// What a process is made with. A value.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "start/options.hh"

namespace mproc::process {

// An object that goes with the process.
struct PassedObject {
  uint32_t kind;
  std::vector<int> fds;
  std::shared_ptr<const void> keep;  // has the descriptors
};

struct Options : start::Options {
  std::string name;  // empty: "Process-N"
  bool daemon = false;
  bool sets_daemon = false;  // else the creator's
  bool has_function = false;
  uint32_t function = 0;
  std::vector<std::byte> payload;
  std::vector<PassedObject> objects;
};

}  // namespace mproc::process
