// SPDX-License-Identifier: MIT
#include "cli/bench_command.hh"

#include <algorithm>
#include <iostream>

#include "cli/exit_code.hh"
#include "cli/own_place.hh"

namespace mproc::cli {

namespace {

struct Workload {
  const char* name;
  void (*run)(const BenchSettings& settings);
};

// In the order in which they run: those that look at memory or at the start come before the rest has
// filled this process.
constexpr Workload kWorkloads[] = {{"W5", RunW5}, {"W7", RunW7},   {"W8", RunW8},  {"W4", RunW4},
                                   {"W1", RunW1}, {"W2", RunW2},   {"W3", RunW3},  {"W6", RunW6},
                                   {"W9", RunW9}, {"W10", RunW10}, {"W11", RunW11}};

}  // namespace

BenchCommand::BenchCommand(CLI::App* app) : command_(app->add_subcommand("bench", "Measure the library")) {
  std::vector<std::string> names;
  for (const Workload& workload : kWorkloads) names.push_back(workload.name);
  std::sort(names.begin(), names.end());
  command_
      ->add_option(
          "--w", workloads_,
          "Workloads: W1 latency, W2 throughput, W3 payloads, W4 start, W5 worker memory, W6 efficiency, "
          "W7 memory of queued tasks, W8 lazy maps, W9 maps of items whose times differ, W10 locks, W11 "
          "queues")
      ->delimiter(',')
      ->check(CLI::IsMember(names))
      ->capture_default_str();
  command_->add_flag("--quick", settings_.quick, "Take about 0.4 of the time");
  command_
      ->add_option("--host-mib", settings_.host_mib, "W4 again with so much touched memory in this process")
      ->check(CLI::Range(1, 1 << 20));
  command_->add_option("--module", settings_.module,
                       "Another module than mproc_bench.so, with the same functions");
  command_->footer(kExitCodeHelp);
}

int BenchCommand::Run() {
  int code = kAllGood;
  try {
    if (settings_.module.empty()) settings_.module = FindBenchModule();
    for (const Workload& workload : kWorkloads) {
      if (std::find(workloads_.begin(), workloads_.end(), workload.name) == workloads_.end()) continue;
      try {
        workload.run(settings_);
      } catch (const Failure& failure) {
        std::cerr << "mproc: " << workload.name << ": " << failure.what() << std::endl;
        code = kPoolFailed;
      }
    }
  } catch (const std::exception& error) {
    std::cerr << "mproc: " << error.what() << std::endl;
    code = kPoolFailed;
  }
  return code;
}

}  // namespace mproc::cli
