// SPDX-License-Identifier: MIT
// Starts, signals and watches child processes through the launcher, and replaces the launcher when it died or
// when this process changed its user.
//
// Start, Signal and pid may be called from any thread.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.hh"
#include "runtime/children.hh"
#include "runtime/engine.hh"
#include "runtime/launcher_process.hh"

namespace mproc::runtime {

class LauncherClient : public Children, private LauncherProcess::Owner {
 public:
  explicit LauncherClient(Engine& engine) : engine_(engine) {}

  // Starts the first launcher. Any thread, once, before anything is started.
  Status Open(const std::string& program);

  // Does not wait for the launcher.
  Result<uint64_t> Start(const StartRequest& request, std::weak_ptr<ChildObserver> observer) override;
  void Signal(uint64_t child, int signo) override;
  // Of the launcher that new children get; 0 if none runs.
  pid_t pid() const;

  // Ends all launchers, which kill their children. False if one is left at the deadline: call again. Not on
  // the engine thread.
  bool End(const Deadline& deadline);
  // Engine thread only, after End.
  void CloseHandles();

 private:
  struct Child {
    ~Child() { platform::UnguardFd(process.fd()); }

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
