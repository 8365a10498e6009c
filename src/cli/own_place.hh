// SPDX-License-Identifier: MIT
// Where this program lies, and the files that came with it.
#ifndef MPROC_CLI_OWN_PLACE_HH
#define MPROC_CLI_OWN_PLACE_HH

#include <string>

namespace mproc::cli {

// The file behind a link such as /proc/self/exe, "" if it cannot be read.
std::string LinkTarget(const std::string& link);

// The module of `mproc bench`: beside this program or in ../libexec/mproc. Throws if it is in neither.
std::string FindBenchModule();

}  // namespace mproc::cli

#endif
