// SPDX-License-Identifier: MIT
// Who removes the segments that nobody uses any more when this process has ended.
#pragma once

#include "base/status.hh"

namespace mproc::capi {

// Sees to it that there is somebody. In the library that is the launcher (sweeper.cc); a worker program has
// one already, which started it (mproc_worker.cc).
Status EnsureSweeper();

}  // namespace mproc::capi
