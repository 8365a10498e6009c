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
  auto fd = OpenFile("/proc/self/status", O_RDONLY, "/proc/self/status");
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
  auto fd = OpenFile(".", O_PATH | O_DIRECTORY, "opening the working directory");
  return fd.ok() ? std::move(*fd) : UniqueFd();
}

Result<UniqueFd> OpenDirectory(const std::string& path) {
  auto fd = OpenFile(path.c_str(), O_PATH | O_DIRECTORY, "opening a directory");
  if (fd.ok()) return fd;
  return Status(fd.status().code(), "the directory '" + path + "' of the workers: " + fd.status().message(),
                fd.status().os_code());
}

bool IsOpen(int fd) { return fcntl(fd, F_GETFD) >= 0; }

void ChangeEnvironment(const std::vector<std::string>& set, const std::vector<std::string>& unset) {
  for (const std::string& entry : set) {
    size_t name = entry.find('=');
    setenv(entry.substr(0, name).c_str(), entry.c_str() + name + 1, 1);
  }
  for (const std::string& name : unset) unsetenv(name.c_str());
}

bool EnterDirectory(int directory) { return fchdir(directory) == 0; }

void LeaveDirectory() {
  if (chdir("/") != 0) return;  // then it stays where it is
}

uint32_t SetUmask(uint32_t mask) { return umask(static_cast<mode_t>(mask)); }

}  // namespace mproc::platform
