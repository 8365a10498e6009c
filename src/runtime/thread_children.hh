// SPDX-License-Identifier: MIT
// Children that are threads of this process.
//
// A thread cannot be killed. SIGKILL lets go of it: it is reported as ended and goes on by itself until its
// body returns, so the body must own all it uses. Any other signal does nothing.
#pragma once

#include <mutex>
#include <unordered_map>

#include "runtime/children.hh"
#include "runtime/engine.hh"

namespace mproc::runtime {

class ThreadChildren : public Children {
 public:
  explicit ThreadChildren(Engine& engine) : engine_(engine) {}

  // The body must keep the runtime alive.
  Result<uint64_t> Start(const StartRequest& request, std::weak_ptr<ChildObserver> observer) override;
  void Signal(uint64_t child, int signo) override;
  // Lets go of all, and starts no more.
  void End();

 private:
  struct Run;
  static Status StartThread(std::shared_ptr<Run> run);
  // Any thread; only the first report of a child counts.
  void Report(uint64_t id, ChildExit exit);

  Engine& engine_;
  std::mutex mutex_;
  std::unordered_map<uint64_t, std::weak_ptr<ChildObserver>> children_;  // guarded by mutex_
  uint64_t next_id_ = 1;                                                 // guarded by mutex_
  bool ending_ = false;                                                  // guarded by mutex_
};

}  // namespace mproc::runtime
