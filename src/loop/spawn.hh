// SPDX-License-Identifier: MIT
// Starts programs and tells how they ended. Loop's thread only. libuv takes the process's SIGCHLD for this:
// only for processes that are ours alone.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "loop/loop.hh"
#include "platform/identity.hh"  // pid_t

namespace mproc::loop {

struct SpawnOptions {
  std::string program;                   // searched in PATH of `environment` if it has no '/'
  std::vector<std::string> arguments;    // arguments[0] included
  std::vector<std::string> environment;  // "NAME=value"
  std::vector<int> descriptors;          // the index is the number in the child; -1 is the null device
};

class ChildProcess {
 public:
  using ExitCallback = std::function<void(int code, int signal)>;

  ChildProcess() = default;
  ~ChildProcess() { Close(); }
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  // Starts it in the process's working directory and with its umask. After an error there is no child and
  // the callback never comes.
  Status Start(Loop& loop, const SpawnOptions& options, ExitCallback on_exit);
  pid_t pid() const;
  // False if it has ended.
  bool Signal(int signo);
  // Forgets the child; does not end it.
  void Close();

 private:
  struct Handle;
  Handle* handle_ = nullptr;
};

}  // namespace mproc::loop
