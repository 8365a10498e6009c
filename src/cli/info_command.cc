// SPDX-License-Identifier: MIT
#include "cli/info_command.hh"

#include <mproc/mproc.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <exception>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

#include "cli/exit_code.hh"
#include "cli/handles.hh"
#include "cli/own_place.hh"

namespace mproc::cli {

namespace {

using Json = nlohmann::ordered_json;

// Starts a pool of one worker and tells what came of it.
void TryPool(Json* info) {
  auto start = std::chrono::steady_clock::now();
  OptionsPtr options = MakeOptions();
  Check(mproc_pool_options_set_module(options.get(), FindBenchModule().c_str()), "module");
  Check(mproc_pool_options_set_workers(options.get(), 1), "workers");
  PoolPtr pool = MakePool(options);
  Check(mproc_pool_wait_ready(pool.get(), 30 * MPROC_SECOND), "starting a worker");
  std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
  int64_t launcher = 0, worker = 0;
  Check(mproc_runtime_launcher_pid(&launcher), "pid of the launcher");
  Check(mproc_pool_worker_info(pool.get(), 0, MPROC_WORKER_INFO_PID, &worker), "pid of a worker");
  (*info)["worker_program"] = LinkTarget("/proc/" + std::to_string(worker) + "/exe");
  (*info)["launcher_pid"] = launcher;
  (*info)["start_ms"] = std::round(took.count() * 100) / 100;
}

Json Collect() {
  int32_t workers = 0;
  Check(mproc_runtime_default_workers(&workers), "default workers");
  return {{"version", mproc_version_string()},
          {"version_number", mproc_version_number()},
          {"default_workers", workers},
          {"worker_program", ""},
          {"launcher_pid", 0},
          {"start_ms", nullptr},
          {"error", nullptr},
          {"features",
           {{"start_methods", StartMethods()},
            {"worker_ways", {"module", "self", "command", "memory"}},
            {"polling", {"adaptive", "off", "spin"}},
            {"callbacks", {"thread", "dispatch", "next"}},
            {"maps", {"items", "array"}}}},
          {"limits",
           {{"workers", 4096}, {"functions", 65536}, {"function_name_bytes", 255}, {"pool_name_bytes", 63}}}};
}

std::string Joined(const Json& words) {
  std::string text;
  for (const Json& word : words) text += (text.empty() ? "" : ", ") + word.get<std::string>();
  return text;
}

void PrintText(const Json& info, bool launcher) {
  std::cout << "libmproc " << info["version"].get<std::string>() << "\n"
            << "default workers: " << info["default_workers"] << "\n";
  if (info["error"].is_null()) {
    std::cout << "worker program:  " << info["worker_program"].get<std::string>() << "\n"
              << "pool start:      " << info["start_ms"] << " ms with one worker\n";
  } else {
    std::cout << "pool start:      FAILED: " << info["error"].get<std::string>() << "\n";
  }
  if (launcher) std::cout << "launcher pid:    " << info["launcher_pid"] << "\n";
  for (const auto& [name, values] : info["features"].items()) {
    std::string label = name + ":";
    std::replace(label.begin(), label.end(), '_', ' ');
    label.resize(std::max<size_t>(label.size() + 1, 17), ' ');
    std::cout << label << Joined(values) << "\n";
  }
  std::string limits;
  for (const auto& [name, value] : info["limits"].items()) {
    std::string label = name;
    std::replace(label.begin(), label.end(), '_', ' ');
    limits += (limits.empty() ? "" : ", ") + label + " " + value.dump();
  }
  std::cout << "limits:          " << limits << "\n";
}

}  // namespace

InfoCommand::InfoCommand(CLI::App* app)
    : command_(
          app->add_subcommand("info", "Tell version, limits, and whether a worker can be started here")) {
  command_->add_flag("--json", json_, "As one JSON object");
  command_->add_flag("--launcher", launcher_,
                     "Also the process id of the launcher, which lives as long as this");
  command_->footer(kExitCodeHelp);
}

int InfoCommand::Run() {
  Json info = Collect();
  try {
    TryPool(&info);
  } catch (const std::exception& error) {
    info["error"] = error.what();
  }
  if (json_) {
    std::cout << info.dump(2, ' ', false, Json::error_handler_t::replace) << "\n";
  } else {
    PrintText(info, launcher_);
  }
  std::cout.flush();
  return info["error"].is_null() ? kAllGood : kPoolFailed;
}

}  // namespace mproc::cli
