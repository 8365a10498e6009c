// SPDX-License-Identifier: MIT
// The control groups that this process is in, and the small files that tell their limits. Any thread.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace mproc::platform {

// Lines of a file, empty if it cannot be read.
std::vector<std::string> ReadLines(const std::string& path);
// The first of them.
std::string ReadLine(const std::string& path);

// Calls `look` with the folder of this process's group for a controller ("cpu", "memory") and of each one
// above it, and whether that is of the unified hierarchy. Folders that are not there may be named, too.
void ForEachGroup(const std::string& controller,
                  const std::function<void(const std::string& folder, bool unified)>& look);

}  // namespace mproc::platform
