// SPDX-License-Identifier: MIT
#include "platform/file_mark.hh"

#include <sys/stat.h>

namespace mproc::platform {

std::string FileMark(const std::string& path) {
  struct stat file {};
  if (path.find('/') == std::string::npos || stat(path.c_str(), &file) != 0) return "";
  std::string mark;
  for (auto part : {static_cast<uint64_t>(file.st_dev), static_cast<uint64_t>(file.st_ino),
                    static_cast<uint64_t>(file.st_size), static_cast<uint64_t>(file.st_ctim.tv_sec),
                    static_cast<uint64_t>(file.st_ctim.tv_nsec)}) {
    mark += (mark.empty() ? "" : "-") + std::to_string(part);
  }
  return mark;
}

}  // namespace mproc::platform
