// SPDX-License-Identifier: MIT
// The launcher process, from its start to its end: what mproc-worker does when called with "--launcher".
#pragma once

namespace mproc::launcher {

// Serves the host on descriptor 3 until that ends or says so; kills what is left then. The exit status.
int LauncherMain();

}  // namespace mproc::launcher
