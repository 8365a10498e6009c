// SPDX-License-Identifier: MIT
// `mproc map`: one function over many items.
#ifndef MPROC_CLI_MAP_COMMAND_HH
#define MPROC_CLI_MAP_COMMAND_HH

#include <mproc/mproc.h>

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "cli/handles.hh"
#include "cli/map_run.hh"

namespace mproc::cli {

class MapCommand {
 public:
  explicit MapCommand(CLI::App* app);
  bool chosen() const { return command_->parsed(); }
  // `literal_items` stood behind "--". Returns an ExitCode. Throws CLI::ParseError.
  int Run(std::vector<std::string> literal_items);

 private:
  std::vector<std::string> Items(std::vector<std::string> literal_items) const;
  PoolPtr StartPool() const;
  MapRun::Settings SettingsFor(const PoolPtr& pool) const;
  uint32_t FindFunction(const PoolPtr& pool) const;

  CLI::App* command_;
  std::string module_;
  std::string function_;
  int workers_ = 0;
  size_t chunk_ = 1;
  bool unordered_ = false;
  std::string start_method_ = "spawn";
  std::string name_ = "map";
  double timeout_ = 0;  // seconds; 0: none
  int retries_ = 0;
  bool progress_ = false;
  std::string trace_;  // path
};

}  // namespace mproc::cli

#endif
