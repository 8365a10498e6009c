// SPDX-License-Identifier: MIT
// What a process is made with. A value.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "object/object.hh"
#include "start/options.hh"

namespace mproc::process {

struct Options : start::Options {
  std::string name;  // empty: "Process-N"
  bool daemon = false;
  bool sets_daemon = false;  // else the creator's
  bool has_function = false;
  uint32_t function = 0;
  std::vector<std::byte> payload;
  std::vector<object::PassedObject> objects;
};

}  // namespace mproc::process
