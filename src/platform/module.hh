// SPDX-License-Identifier: MIT
// Loading a shared library and finding its entry point.
#pragma once

#include <string>

#include "base/status.hh"

namespace mproc::platform {

// Loads the library and returns the address of `symbol`; the library stays. BAD_MODULE with the loader's
// own words if it is missing, is no library, or does not export the symbol.
Result<void*> LoadModule(const std::string& path, const char* symbol);

}  // namespace mproc::platform
