// SPDX-License-Identifier: MIT
// Starts, signals and watches child processes through the launcher, and replaces the launcher when it died or
// when this process changed its user.
//
// Start, Signal and pid may be called from any thread. Observers are called on the engine thread, without any
// lock held. Each started child ends with exactly one OnStartFailed or OnExited.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.hh"
#include "runtime/engine.hh"
#include "runtime/launcher_process.hh"

namespace mproc::runtime {

struct ChildExit {
  bool known;  // false: the launcher died before it could tell
  int code;    // 255 if not known
  int signal;  // 0 if it ended by itself
};

class ChildObserver {
 public:
  virtual ~ChildObserver() = default;
  virtual void OnStarted(uint64_t child, pid_t pid) = 0;
  virtual void OnStartFailed(uint64_t child, const Status& why) = 0;
  virtual void OnExited(uint64_t child, ChildExit exit) = 0;
};

struct StartRequest {
  std::string program;
  std::vector<std::string> arguments;          // arguments[0] included
  std::vector<std::string> extra_environment;  // "NAME=value"; goes before the host's own of that name
  int channel_fd = -1;                         // becomes descriptor 3 of the child; borrowed for the call
};

class LauncherClient : private LauncherProcess::Owner {
 public:
  explicit LauncherClient(Engine& engine) : engine_(engine) {}

  // Starts the first launcher. Any thread, once, before the other calls.
  Status Open(const std::string& program);

  // Asks for a child and returns its number (never 0). Does not wait for the launcher. An error means that
  // no observer will be called. The child may be reported as started before this call has returned.
  Result<uint64_t> Start(const StartRequest& request, std::weak_ptr<ChildObserver> observer);
  // Sends a signal to a child; nothing happens if it has ended.
  void Signal(uint64_t child, int signo);
  // Of the launcher that new children get; 0 if none runs.
  pid_t pid() const;

  // Ends all launchers, which kill their children. False if one is left at the deadline: call again. Not on
  // the engine thread.
  bool End(const Deadline& deadline);
  // Engine thread only, after End.
  void CloseHandles();

 private:
  struct Child {
    ~Child() { UnguardFd(process.fd()); }

    std::weak_ptr<ChildObserver> observer;
    std::string program;
    LauncherProcess* launcher = nullptr;
    platform::ProcessRef process;  // valid once started
    bool orphaned = false;         // its launcher has ended
    bool ours_to_reap = false;     // it became a child of this process by that
  };
  using Children = std::unordered_map<uint64_t, std::unique_ptr<Child>>;

  void OnReply(LauncherProcess* from, ipc::ControlReceived reply) override;
  void OnLauncherEnd(LauncherProcess* which) override;

  bool IsOurs() const { return epoch_ == platform::ForkEpoch(); }
  Status EnsureLauncher();                               // under mutex_
  bool HasChildren(const LauncherProcess* which) const;  // under mutex_
  void Retire();                                         // under mutex_
  void FinishIfIdle(LauncherProcess* which);             // engine thread
  void BuryOrphans();                                    // engine thread

  const uint32_t epoch_ = platform::ForkEpoch();
  Engine& engine_;
  std::string program_;  // set by Open

  mutable std::mutex mutex_;
  std::condition_variable all_ended_;
  std::shared_ptr<LauncherProcess> current_;                 // guarded by mutex_
  std::vector<std::shared_ptr<LauncherProcess>> launchers_;  // guarded by mutex_; all that have not ended
  Children children_;                                        // guarded by mutex_
  uint64_t next_id_ = 1;                                     // guarded by mutex_
  bool ending_ = false;                                      // guarded by mutex_

  loop::Timer orphan_timer_;  // engine thread only
};

}  // namespace mproc::runtime
