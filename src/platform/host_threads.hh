// SPDX-License-Identifier: MIT
// Whether this process can be forked without harm. Any thread.
#pragma once

#include "base/status.hh"

namespace mproc::platform {

// OK if no thread runs code of the host beside one, its first; UNSUPPORTED if others do, or nobody can tell:
// what they hold locked would stay locked in a forked child, which has none of them.
Status CheckNoHostThreads();

}  // namespace mproc::platform
