// SPDX-License-Identifier: MIT
#include "platform/surroundings.hh"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

namespace mproc::platform {

std::vector<std::string> CopyEnvironment() {
  std::vector<std::string> copy;
  for (char** entry = environ; entry && *entry; entry++) copy.emplace_back(*entry);
  return copy;
}

std::optional<uint32_t> CurrentUmask() {
  auto fd = TakeFd(open("/proc/self/status", O_RDONLY | O_CLOEXEC), "/proc/self/status");
  if (!fd.ok()) return std::nullopt;
  char text[512];  // the line is the second one
  ssize_t n = read(fd->get(), text, sizeof text - 1);
  if (n <= 0) return std::nullopt;
  text[n] = '\0';
  const char* line = strstr(text, "\nUmask:");
  if (!line) return std::nullopt;
  return static_cast<uint32_t>(strtoul(line + strlen("\nUmask:"), nullptr, 8)) & 0777;
}

UniqueFd OpenWorkingDirectory() {
  auto fd = TakeFd(open(".", O_PATH | O_DIRECTORY | O_CLOEXEC), "opening the working directory");
  return fd.ok() ? std::move(*fd) : UniqueFd();
}

bool IsOpen(int fd) { return fcntl(fd, F_GETFD) >= 0; }

bool EnterDirectory(int directory) { return fchdir(directory) == 0; }

void LeaveDirectory() {
  if (chdir("/") != 0) return;  // then it stays where it is
}

uint32_t SetUmask(uint32_t mask) { return umask(static_cast<mode_t>(mask)); }

}  // namespace mproc::platform
