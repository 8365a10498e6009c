// SPDX-License-Identifier: MIT
// What a worker is told before it starts to serve.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.hh"
#include "base/status.hh"
#include "task/worker_terms.hh"

namespace mproc::task {

// The environment variable that marks a run of the host's own program as a worker; its value is the nonce.
inline constexpr char kSelfMark[] = "MPROC_SELF_WORKER";

// Of a process that calls one function and ends, instead of a worker.
struct ProcessTerms {
  bool given = false;
  uint32_t function = 0;
  std::vector<std::byte> payload;
  std::vector<std::byte> objects;  // notes on those that go with it (object/passing.hh)
  std::string place;               // "2", or "2:1" for the first child of that; ends its default name
  bool daemon = false;
};

struct Setup {
  uint64_t nonce = 0;
  uint32_t worker_number = 0;
  std::string worker_name;
  int64_t host_pid = 0;
  std::string host_name;  // as a process
  std::string module;     // empty: the program's own table
  bool has_initializer = false;
  uint32_t initializer = 0;
  std::vector<std::byte> initializer_data;
  std::vector<std::byte> key;  // by which processes of the program know one another
  WorkerTerms terms;
  ProcessTerms process;
  bool has_output = false;  // the last two descriptors are to be its standard output and error
};

std::vector<std::byte> EncodeSetup(const Setup& setup);
Result<Setup> DecodeSetup(ByteView bytes);

}  // namespace mproc::task
