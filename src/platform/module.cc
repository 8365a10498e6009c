// SPDX-License-Identifier: MIT
#include "platform/module.hh"

#include <dlfcn.h>

namespace mproc::platform {

Result<void*> LoadModule(const std::string& path, const char* symbol) {
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    const char* why = dlerror();
    return Status(MPROC_ERROR_BAD_MODULE, "module '" + path + "' cannot be loaded: " + (why ? why : "?"));
  }
  void* address = dlsym(library, symbol);
  if (!address) {
    return Status(MPROC_ERROR_BAD_MODULE, "module '" + path + "' does not export " + symbol +
                                              "(), the function that fills the worker's table");
  }
  return address;
}

}  // namespace mproc::platform
