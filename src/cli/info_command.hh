// SPDX-License-Identifier: MIT
// `mproc info`: what this library is and can do here, checked by starting a worker.
#ifndef MPROC_CLI_INFO_COMMAND_HH
#define MPROC_CLI_INFO_COMMAND_HH

#include <CLI/CLI.hpp>

namespace mproc::cli {

class InfoCommand {
 public:
  explicit InfoCommand(CLI::App* app);
  bool chosen() const { return command_->parsed(); }
  int Run();  // an ExitCode

 private:
  CLI::App* command_;
  bool json_ = false;
  bool launcher_ = false;
};

}  // namespace mproc::cli

#endif
