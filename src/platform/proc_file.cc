// SPDX-License-Identifier: MIT
#include "platform/proc_file.hh"

#include <cstdio>
#include <memory>

namespace mproc::platform {
namespace {

constexpr size_t kMostBytes = 256 * 1024;

}  // namespace

std::string ReadProcFile(pid_t pid, const char* name) {
  std::string path = "/proc/" + std::to_string(pid) + "/" + name, text;
  std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(path.c_str(), "re"), std::fclose);
  char part[4096];
  size_t size = 0;
  while (file && text.size() < kMostBytes && (size = std::fread(part, 1, sizeof part, file.get())) > 0) {
    text.append(part, size);
  }
  return text;
}

}  // namespace mproc::platform
