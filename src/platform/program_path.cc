// SPDX-License-Identifier: MIT
#include "platform/program_path.hh"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef MPROC_LIBEXECDIR
#define MPROC_LIBEXECDIR "/usr/local/libexec/mproc"
#endif

namespace mproc::platform {
namespace {

constexpr char kName[] = "mproc-worker";
constexpr char kVariable[] = "MPROC_WORKER";

// Where the program lies as seen from the directory of the library.
constexpr const char* kRelative[] = {
    ".",                    // all in one directory
    "../libexec/mproc",     // PREFIX/lib
    "../../libexec/mproc",  // PREFIX/lib/x86_64-linux-gnu
    "../src/worker",        // a build tree, seen from its capi
    "../../src/worker",     // the same, seen from a program of its tests
};

std::string Absolute(const std::string& path) {
  char* resolved = realpath(path.c_str(), nullptr);
  if (!resolved) return path;
  std::string result(resolved);
  free(resolved);
  return result;
}

bool IsProgram(const std::string& path) {
  struct stat info;
  return stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode) && access(path.c_str(), X_OK) == 0;
}

// The file mapped at an address: the loader knows only the name it was given, which may be relative to a
// directory that was left since.
std::string MappedFile(const void* address) {
  FILE* maps = fopen("/proc/self/maps", "re");
  if (!maps) return {};
  std::string found;
  char line[PATH_MAX + 128];
  while (found.empty() && fgets(line, sizeof line, maps)) {
    unsigned long begin = 0, end = 0;
    int path_at = 0;
    if (sscanf(line, "%lx-%lx %*s %*s %*s %*s %n", &begin, &end, &path_at) < 2 || path_at == 0) continue;
    auto where = reinterpret_cast<uintptr_t>(address);
    if (where < begin || where >= end || line[path_at] != '/') continue;
    found = line + path_at;
    while (!found.empty() && found.back() == '\n') found.pop_back();
  }
  fclose(maps);
  return found;
}

}  // namespace

Result<std::string> ExecutablePath() {
  char path[PATH_MAX];
  ssize_t n = readlink("/proc/self/exe", path, sizeof path);
  if (n > 0 && n < static_cast<ssize_t>(sizeof path)) return std::string(path, static_cast<size_t>(n));
  auto* started_as = reinterpret_cast<const char*>(getauxval(AT_EXECFN));
  if (started_as) return Absolute(started_as);
  return Status(MPROC_ERROR_UNSUPPORTED, "the path of the executable is not known: /proc is not mounted");
}

Result<std::string> LibraryPath() {
  auto* here = reinterpret_cast<const void*>(&LibraryPath);
  Dl_info info{};
  if (dladdr(here, &info) != 0 && info.dli_fname && info.dli_fname[0] == '/') return Absolute(info.dli_fname);
  std::string mapped = MappedFile(here);
  if (!mapped.empty()) return mapped;
  if (info.dli_fname && strchr(info.dli_fname, '/')) return Absolute(info.dli_fname);
  return ExecutablePath();
}

Result<std::string> FindWorkerProgram(const std::string& given) {
  std::string looked;
  auto look = [&looked](const std::string& path) {
    if (IsProgram(path)) return true;
    looked += (looked.empty() ? "" : ", ") + path;
    return false;
  };
  auto missing = [&looked](const std::string& remedy) {
    return Status(MPROC_ERROR_NO_WORKER_PROGRAM,
                  "the program mproc-worker was not found; looked at: " + looked + remedy);
  };
  // Who names a program wants that one or none.
  if (!given.empty()) {
    if (look(given)) return Absolute(given);
    return missing(" (named by the program)");
  }
  const char* variable = secure_getenv(kVariable);
  if (variable && *variable) {
    if (look(variable)) return Absolute(variable);
    return missing(std::string(" (named by the environment variable ") + kVariable + ")");
  }
  auto library = LibraryPath();
  if (library.ok()) {
    std::string directory = library->substr(0, library->rfind('/'));
    for (const char* relative : kRelative) {
      std::string path = directory + "/" + (strcmp(relative, ".") == 0 ? "" : std::string(relative) + "/");
      if (look(path + kName)) return Absolute(path + kName);
    }
  }
  std::string configured = std::string(MPROC_LIBEXECDIR) + "/" + kName;
  if (look(configured)) return configured;
  return missing(std::string("; the environment variable ") + kVariable + " can name it");
}

}  // namespace mproc::platform
