// SPDX-License-Identifier: MIT
// How the program ends.
#ifndef MPROC_CLI_EXIT_CODE_HH
#define MPROC_CLI_EXIT_CODE_HH

namespace mproc::cli {

enum ExitCode {
  kAllGood = 0,
  kSomeFailed = 1,      // an item failed or was lost; the others are done
  kWrongUsage = 2,      // also: no such module or function, unreadable input
  kPoolFailed = 3,      // the pool could not start, or broke
  kOutputClosed = 141,  // nobody reads the output any more: what a shell reports for SIGPIPE
};

inline constexpr char kExitCodeHelp[] =
    "Exit codes: 0 all good; 1 some item failed; 2 wrong usage, unknown function, or a module that\n"
    "cannot be loaded; 3 the pool could not start or broke; 130 ended by Ctrl-C; 141 the output was closed.";

}  // namespace mproc::cli

#endif
