// SPDX-License-Identifier: MIT
// Tells a file from what stood at its path earlier. Any thread.
#pragma once

#include <string>

namespace mproc::platform {

// Device, number, size and time of change of the file; empty if there is none at this path, as for the name
// of a library that the loader has to look for.
std::string FileMark(const std::string& path);

}  // namespace mproc::platform
