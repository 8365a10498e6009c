// SPDX-License-Identifier: MIT
// Children that this process forks itself: copies of it, and visible to its own wait and SIGCHLD.
//
// They are forked by the engine thread, whose end would be theirs by the parent-death signal: it lives as
// long as the runtime. In the child there is nothing but that thread, deep in the loop of its parent, so the
// child runs the body of its request and ends without ever returning. What the child can use of this library
// is whole: the locks for that are held over every fork (platform/fork_lock.hh), and everything else of the
// parent's is left as it lies.
//
// An end is seen by a pidfd, or looked for where there are none. The status is taken if this process has not
// taken it before by a wait of its own.
#pragma once

#include <condition_variable>
#include <mutex>
#include <unordered_map>

#include "base/clock.hh"
#include "loop/poll.hh"
#include "loop/timer.hh"
#include "platform/fork_guard.hh"
#include "platform/pidfd.hh"
#include "runtime/children.hh"
#include "runtime/engine.hh"

namespace mproc::runtime {

class ForkedChildren : public Children {
 public:
  explicit ForkedChildren(Engine& engine) : engine_(engine) {}

  Result<uint64_t> Start(const StartRequest& request, std::weak_ptr<ChildObserver> observer) override;
  void Signal(uint64_t child, int signo) override;
  // Waits until everything that was asked for before is forked, so that the children are copies of what is
  // now. Not on the engine thread.
  void WaitForked();
  // Kills all, and forks no more. False if one is left at the deadline: call again. Not on the engine thread.
  bool End(const Deadline& deadline);
  // Engine thread only, after End.
  void CloseHandles();

 private:
  struct Child {
    ~Child() { platform::UnguardFd(process.fd()); }

    std::weak_ptr<ChildObserver> observer;
    platform::GuardedFd channel;  // until it is forked
    ChildBody body;
    bool among_threads = false;
    int killed = 0;                // by this signal, before it was forked
    platform::ProcessRef process;  // valid once forked
    loop::Poll end;                // engine thread only
  };

  // Engine thread only.
  void Fork(uint64_t id);
  Status MakeProcess(const Child& child, platform::GuardedFd channel, platform::ProcessRef* process);
  void WatchEnd(uint64_t id, Child* child);
  void LookForEnds();
  void CheckEnd(uint64_t id);

  // Under mutex_.
  void Erase(uint64_t id);
  static void SignalChild(Child* child, int signo);

  Engine& engine_;
  std::mutex mutex_;
  std::condition_variable all_ended_;
  std::unordered_map<uint64_t, std::shared_ptr<Child>> children_;  // guarded by mutex_
  uint64_t next_id_ = 1;                                           // guarded by mutex_
  bool ending_ = false;                                            // guarded by mutex_
  loop::Timer look_;  // engine thread only; looks for the ends of children without pidfd
};

}  // namespace mproc::runtime
