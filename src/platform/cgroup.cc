// SPDX-License-Identifier: MIT
#include "platform/cgroup.hh"

#include <cstdio>
#include <memory>

namespace mproc::platform {
namespace {

bool Names(const std::string& controllers, const std::string& controller) {
  return ("," + controllers + ",").find("," + controller + ",") != std::string::npos;
}

}  // namespace

// No streams: their set-up costs every process that links them.
std::vector<std::string> ReadLines(const std::string& path) {
  std::vector<std::string> lines;
  std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(path.c_str(), "re"), std::fclose);
  char buffer[4096];
  while (file && fgets(buffer, sizeof buffer, file.get())) {
    std::string line(buffer);
    if (!line.empty() && line.back() == '\n') line.pop_back();
    lines.push_back(std::move(line));
  }
  return lines;
}

std::string ReadLine(const std::string& path) {
  auto lines = ReadLines(path);
  return lines.empty() ? std::string() : lines[0];
}

void ForEachGroup(const std::string& controller,
                  const std::function<void(const std::string& folder, bool unified)>& look) {
  for (const std::string& line : ReadLines("/proc/self/cgroup")) {
    size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    std::string controllers = line.substr(first + 1, second - first - 1), path = line.substr(second + 1);
    bool unified = controllers.empty();
    if (!unified && !Names(controllers, controller)) continue;
    for (;;) {
      if (path == "/") path.clear();
      look("/sys/fs/cgroup" + (unified ? "" : "/" + controller) + path, unified);
      if (!unified && controllers != controller) look("/sys/fs/cgroup/" + controllers + path, false);
      if (path.empty()) break;
      path.resize(path.rfind('/') == std::string::npos ? 0 : path.rfind('/'));
    }
  }
}

}  // namespace mproc::platform
