// SPDX-License-Identifier: MIT
// `mproc bench`: the library's own benchmarks, one JSON object a line.
#ifndef MPROC_CLI_BENCH_COMMAND_HH
#define MPROC_CLI_BENCH_COMMAND_HH

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "cli/bench.hh"

namespace mproc::cli {

class BenchCommand {
 public:
  explicit BenchCommand(CLI::App* app);
  bool chosen() const { return command_->parsed(); }
  int Run();  // an ExitCode

 private:
  CLI::App* command_;
  BenchSettings settings_;
  std::vector<std::string> workloads_ = {"W1", "W2", "W3", "W6"};
};

}  // namespace mproc::cli

#endif
