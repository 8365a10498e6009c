// SPDX-License-Identifier: MIT
#include "cli/own_place.hh"

#include <filesystem>
#include <stdexcept>
#include <system_error>

namespace mproc::cli {

namespace fs = std::filesystem;

std::string LinkTarget(const std::string& link) {
  std::error_code error;
  fs::path target = fs::read_symlink(link, error);
  return error ? std::string() : target.string();
}

std::string FindBenchModule() {
  constexpr char kName[] = "mproc_bench.so";
  fs::path here = fs::path(LinkTarget("/proc/self/exe")).parent_path();
  std::string looked;
  for (const fs::path& place : {here / kName, here / "../libexec/mproc" / kName}) {
    std::error_code error;
    if (fs::exists(place, error)) return fs::absolute(place).lexically_normal().string();
    looked += (looked.empty() ? "" : ", ") + place.string();
  }
  throw std::runtime_error(std::string(kName) + " was not found; looked at: " + looked);
}

}  // namespace mproc::cli
