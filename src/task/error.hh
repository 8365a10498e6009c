// SPDX-License-Identifier: MIT
// The error that a function of the table reports, as it travels from worker to host.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.hh"

namespace mproc::task {

struct TaskError {
  int32_t code = 0;
  std::string type;
  std::string message;
  std::string trace;
};

inline constexpr size_t kLongestErrorText = 1 << 20;  // longer texts are cut

std::vector<std::byte> EncodeError(const TaskError& error);
bool DecodeError(ByteView bytes, TaskError* error);

}  // namespace mproc::task
