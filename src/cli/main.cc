// SPDX-License-Identifier: MIT
// The program mproc: a user of the library like any other, it sees include/mproc only.
#include <mproc/mproc.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <exception>
#include <iostream>
#include <string>
#include <vector>

#include "cli/bench_command.hh"
#include "cli/exit_code.hh"
#include "cli/info_command.hh"
#include "cli/map_command.hh"

namespace {

// Takes off what stands behind a "--": items of map, whatever they look like.
std::vector<std::string> TakeLiterals(std::vector<std::string>* arguments) {
  if (arguments->empty() || arguments->front() != "map") return {};
  auto mark = std::find(arguments->begin(), arguments->end(), "--");
  if (mark == arguments->end()) return {};
  std::vector<std::string> literals(mark + 1, arguments->end());
  arguments->erase(mark, arguments->end());
  return literals;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace mproc::cli;
  std::ios::sync_with_stdio(false);  // std::cin then tells how much can be read without waiting
  CLI::App app("Pools of worker processes on the command line.", "mproc");
  app.require_subcommand(1);
  app.set_version_flag("--version", mproc_version_string());
  app.footer(kExitCodeHelp);
  MapCommand map(&app);
  InfoCommand info(&app);
  BenchCommand bench(&app);
  try {
    std::vector<std::string> arguments(argv + std::min(argc, 1), argv + argc);
    std::vector<std::string> literals = TakeLiterals(&arguments);
    std::reverse(arguments.begin(), arguments.end());  // as CLI11 wants them
    app.parse(std::move(arguments));
    if (map.chosen()) return map.Run(std::move(literals));
    return info.chosen() ? info.Run() : bench.Run();
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kAllGood : kWrongUsage;
  } catch (const std::exception& error) {
    std::cerr << "mproc: " << error.what() << std::endl;
    return kPoolFailed;
  }
}
