// SPDX-License-Identifier: MIT
// What a child takes over from its parent, read without changing anything in the process that asks, and
// put in place by the process that starts the child. Any thread to read, single-threaded to enter.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "platform/fd.hh"

namespace mproc::platform {

// The environment as it is now: "NAME=value" each.
std::vector<std::string> CopyEnvironment();

// The file mode creation mask; nothing if /proc is not there (reading it otherwise means changing it).
std::optional<uint32_t> CurrentUmask();

// A descriptor of the working directory; invalid if it cannot be opened.
UniqueFd OpenWorkingDirectory();

// The same of another directory, or why it cannot be entered.
Result<UniqueFd> OpenDirectory(const std::string& path);

bool IsOpen(int fd);

// Changes the environment: "NAME=value" each, and names to take away.
void ChangeEnvironment(const std::vector<std::string>& set, const std::vector<std::string>& unset);

// Enters a directory and sets the mask; both stay until changed again.
bool EnterDirectory(int directory);
void LeaveDirectory();  // goes to the root, so that no file system is kept busy
uint32_t SetUmask(uint32_t mask);

}  // namespace mproc::platform
