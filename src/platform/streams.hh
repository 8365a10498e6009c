// SPDX-License-Identifier: MIT
// The C streams of this process.
#pragma once

namespace mproc::platform {

// Flushes stdout and stderr if something is pending in them.
void FlushStandardStreams();

}  // namespace mproc::platform
