// SPDX-License-Identifier: MIT
// The one runtime of a process: engine thread, launcher if somebody needs one, descriptors. Thread-safe.
//
// It is made by the first Acquire and lives until Finish or the end of the process. There is no exit handler
// and no destructor of static objects: what is left at the end of the process, the system cleans up, and the
// launcher notices. A child that the host forked has none of it: there every call on an inherited runtime
// does nothing, and Acquire makes a fresh one.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.hh"
#include "base/status.hh"
#include "platform/fork_mark.hh"
#include "runtime/engine.hh"
#include "runtime/forked_children.hh"
#include "runtime/launcher_client.hh"
#include "runtime/thread_children.hh"

namespace mproc::runtime {

class Runtime {
 public:
  // Something that must end before the runtime does. BeginEnd and WaitEnded are called without any lock held,
  // on the thread that calls Finish, maybe more than once.
  class Member {
   public:
    virtual ~Member() = default;
    virtual void BeginEnd() = 0;
    virtual bool WaitEnded(const Deadline& deadline) = 0;
  };

  // The runtime, started if there is none, and its launcher likewise. `worker_program` is mproc-worker's path
  // if the host names one; it counts for the start only. Any thread.
  static Result<std::shared_ptr<Runtime>> Acquire(const std::string& worker_program = std::string());
  // The runtime, whether it has a launcher or not, for who needs none.
  static Result<std::shared_ptr<Runtime>> AcquireEngine();
  // Null if none runs.
  static std::shared_ptr<Runtime> Current();
  // Ends every member, the launchers, the engine thread; waits at most `limit` nanoseconds. OK (also when
  // there is nothing to end), TIMED_OUT (call again), WOULD_BLOCK_ITSELF (on the engine thread), FORKED (the
  // runtime is that of the parent of this process). A runtime acquired meanwhile is a new one.
  static Status Finish(int64_t limit);

  // Runs `action` on the engine thread, in the order of the calls; dropped after the end.
  void Post(std::function<void()> action) {
    if (IsOurs()) engine_.Post(std::move(action));
  }
  bool OnEngineThread() const { return engine_.OnThread(); }
  loop::Loop& loop() { return engine_.loop(); }  // engine thread only
  LauncherClient& launcher() { return launcher_; }
  ForkedChildren& forked() { return forked_; }
  ThreadChildren& threads() { return threads_; }
  // False if the runtime is being ended: the member would not be asked.
  bool AddMember(std::weak_ptr<Member> member);
  // mproc-worker, as found at the launcher's start; not after AcquireEngine.
  const std::string& worker_program() const { return worker_program_; }
  // False in a child that was forked from the process that made this runtime.
  bool IsOurs() const { return epoch_ == platform::ForkEpoch(); }

 private:
  struct Process;  // what there is once per process

  Runtime() = default;
  static Process& ThisProcess();
  static Result<std::shared_ptr<Runtime>> AcquireWith(const std::string* worker_program);
  Status OpenLauncher(const std::string& worker_program);  // under the process's mutex
  Status EndBy(const Deadline& deadline);

  const uint32_t epoch_ = platform::ForkEpoch();
  std::string worker_program_;  // set by OpenLauncher
  Engine engine_;
  LauncherClient launcher_{engine_};
  ForkedChildren forked_{engine_};
  ThreadChildren threads_{engine_};
  std::mutex mutex_;
  std::vector<std::weak_ptr<Member>> members_;  // guarded by mutex_
  bool ending_ = false;                         // guarded by mutex_
};

}  // namespace mproc::runtime
