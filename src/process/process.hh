// SPDX-License-Identifier: MIT
// A function of a table in a process of its own: started once, signalled, joined, with an exit code that is
// kept.
//
// Whoever starts children tells of the start and the end on the engine thread; everything else may be
// called from any thread. While it runs the engine's link holds the object, so it outlives its handle. The
// sentinel is the read end of a pipe: it has one byte to read, for ever, from the moment the exit code is
// known.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/clock.hh"
#include "ipc/channel.hh"
#include "process/options.hh"
#include "runtime/runtime.hh"
#include "start/launch.hh"
#include "start/link.hh"
#include "task/error.hh"

namespace mproc::process {

class Process : public runtime::Runtime::Member, public std::enable_shared_from_this<Process> {
 public:
  // Gives it a name and a place among the children of this process.
  static Result<std::shared_ptr<Process>> Create(Options options);

  // Returns when it has been started: its number is known. ALREADY_STARTED, and why it could not be.
  Status Start();
  // Waits for the end. NOT_STARTED, TIMED_OUT, INTERRUPTED.
  Status Join(const Deadline& deadline);
  // To one that has ended nothing is sent. A thread hears of SIGTERM as a task hears of being cancelled.
  Status Signal(int signo);

  const std::string& name() const { return name_; }
  bool daemon() const { return options_.daemon; }
  // NOT_STARTED. It is valid as long as this object.
  Status Sentinel(int* fd) const;
  Status Pid(int64_t* pid) const;
  bool IsAlive() const;
  // NOT_STARTED, STILL_ALIVE; -N: ended by signal N; 255: nobody knows.
  Status ExitCode(int32_t* code) const;
  // Why it failed, as long as this object lives; null: it did not, or runs.
  const task::TaskError* Failure() const;

 private:
  enum class State { kNew, kStarting, kRunning, kEnded };

  explicit Process(Options options) : options_(std::move(options)) {}
  Status Begin();
  Status Launch(const start::Plan& plan, const start::Starter& starter);
  void OnEvent(uint64_t attempt, const start::ChildEvent& event);  // engine thread
  void OnEnd(const runtime::ChildExit& exit);                      // engine thread, under mutex_
  // What it has told of its failure.
  void ReadLastWords();

  // -- runtime::Runtime::Member
  void BeginEnd() override;
  bool WaitEnded(const Deadline& deadline) override;

  Options options_;  // constant once created, but for the objects, which go when it was started
  std::string name_, place_;

  mutable std::mutex mutex_;
  std::condition_variable started_;
  State state_ = State::kNew;               // guarded by mutex_
  Status start_failure_;                    // the same
  int64_t pid_ = 0;                         // the same; 0: not known yet
  int32_t exit_code_ = 0;                   // the same; of one that has ended
  std::optional<task::TaskError> failure_;  // the same; constant once it has ended
  uint64_t child_ = 0;                      // the same
  uint64_t attempt_ = 0;                    // the same; to start it, of those that failed
  std::shared_ptr<runtime::Runtime> runtime_;
  runtime::Children* children_ = nullptr;    // there
  std::shared_ptr<start::ChildLink> link_;   // guarded by mutex_
  std::optional<ipc::HostChannel> channel_;  // the same; what its function's calls talk to
  platform::GuardedFd socket_;               // the same
  platform::GuardedFd sentinel_, end_;       // the same; both ends of the pipe
};

}  // namespace mproc::process
