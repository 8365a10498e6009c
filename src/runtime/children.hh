// SPDX-License-Identifier: MIT
// Whoever starts workers, signals them and tells of their ends: the launcher, this process by forking itself,
// or threads of this process.
//
// Start and Signal may be called from any thread. Observers are called on the engine thread, without any lock
// held. Each started child ends with exactly one OnStartFailed or OnExited.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/status.hh"
#include "platform/identity.hh"

namespace mproc::runtime {

struct ChildExit {
  bool known;  // false: nobody could tell how
  int code;    // 255 if not known
  int signal;  // 0 if it ended by itself
};

class ChildObserver {
 public:
  virtual ~ChildObserver() = default;
  virtual void OnStarted(uint64_t child, pid_t pid) = 0;
  // WORKER_LOST: who should have started it died over it.
  virtual void OnStartFailed(uint64_t child, const Status& why) = 0;
  virtual void OnExited(uint64_t child, ChildExit exit) = 0;
};

// What a child does that is made of this process: serves on its end of the channel's socket, which is lent to
// it. Its value is the exit code.
using ChildBody = std::function<int(int socket)>;

struct StartRequest {
  int channel_fd = -1;  // the child's end of its channel's socket; borrowed for the call
  // For the launcher: channel_fd becomes descriptor 3 of the program.
  std::string program;
  std::vector<std::string> arguments;          // arguments[0] included
  std::vector<std::string> extra_environment;  // "NAME=value"; goes before the host's own of that name
  std::vector<std::string> unset_environment;  // names of the host's own that are left out
  std::string directory;                       // empty: the host's
  int error_fd = -1;                           // becomes descriptor 2, in place of the host's; borrowed
  bool fork = false;                           // the program is a template, which forks the child
  // For all others.
  ChildBody body;
  bool among_threads = false;  // is forked even if this process has threads of its own
};

class Children {
 public:
  virtual ~Children() = default;
  // Asks for a child and returns its number (never 0). Does not wait. An error means that no observer will be
  // called. The child may be reported as started before this call has returned.
  virtual Result<uint64_t> Start(const StartRequest& request, std::weak_ptr<ChildObserver> observer) = 0;
  // Sends a signal to a child; nothing happens if it has ended.
  virtual void Signal(uint64_t child, int signo) = 0;
};

}  // namespace mproc::runtime
