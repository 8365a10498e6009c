// SPDX-License-Identifier: MIT
// Where programs and libraries lie: this executable, libmproc itself, and mproc-worker. Any thread.
#pragma once

#include <string>

#include "base/status.hh"

namespace mproc::platform {

// The path of the running executable. Without /proc as the system was asked to start it.
Result<std::string> ExecutablePath();

// The file that this code was loaded from: libmproc.so, or the executable it is linked into.
Result<std::string> LibraryPath();

// The program mproc-worker: `given` if not empty, else $MPROC_WORKER (ignored in a set-user-id program),
// else beside the library, in the places relative to it that installed and build trees have, and in the
// configured directory. NO_WORKER_PROGRAM lists every place looked at.
Result<std::string> FindWorkerProgram(const std::string& given);

}  // namespace mproc::platform
