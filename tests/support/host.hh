// SPDX-License-Identifier: MIT
// A host for tests of the runtime: starts children of fake_worker and keeps what the runtime says of them.
#pragma once

#include <stdlib.h>
#include <sys/socket.h>

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "loop/loop.hh"
#include "platform/program_path.hh"
#include "platform/socket.hh"
#include "runtime/runtime.hh"
#include "support/processes.hh"

namespace mproc::test {

// fake_worker: $MPROC_FAKE_WORKER or beside the test program.
inline std::string FakeWorker() {
  if (const char* given = getenv("MPROC_FAKE_WORKER")) return given;
  std::string own = *platform::ExecutablePath();
  return own.substr(0, own.rfind('/') + 1) + "fake_worker";
}

// Lets libuv open what it opens once per process and never closes, so that descriptors can be counted.
inline void WarmUp() {
  loop::Loop loop;
  ASSERT_TRUE(loop.Init().ok());
}

// Remembers what it is told. Thread-safe.
class Watcher : public runtime::ChildObserver {
 public:
  struct Story {
    pid_t pid = 0;
    int ends = 0;
    bool failed = false;
    Status why;
    runtime::ChildExit exit{};
    int64_t started_at = 0, ended_at = 0;
  };

  void OnStarted(uint64_t child, pid_t pid) override {
    Tell(child, [&](Story& story) {
      story.pid = pid;
      story.started_at = NowNs();
    });
  }
  void OnStartFailed(uint64_t child, const Status& why) override {
    Tell(child, [&](Story& story) {
      story.ends++;
      story.failed = true;
      story.why = why;
    });
  }
  void OnExited(uint64_t child, runtime::ChildExit exit) override {
    Tell(child, [&](Story& story) {
      story.ends++;
      story.exit = exit;
      story.ended_at = NowNs();
    });
  }

  Story Of(uint64_t child) {
    std::lock_guard lock(mutex_);
    return stories_[child];
  }
  bool WaitStarted(uint64_t child) {
    return Wait([=, this] { return stories_[child].pid != 0 || stories_[child].ends != 0; }) &&
           Of(child).pid != 0;
  }
  bool WaitEnded(uint64_t child) {
    return Wait([=, this] { return stories_[child].ends != 0; });
  }

 private:
  template <typename F>
  void Tell(uint64_t child, F change) {
    std::lock_guard lock(mutex_);
    change(stories_[child]);
    changed_.notify_all();
  }
  template <typename F>
  bool Wait(F condition) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(30), condition);
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<uint64_t, Story> stories_;
};

// A runtime with fake_worker as its worker program. Children get a socket of which `Host` keeps our end.
class Host {
 public:
  Host() : watcher_(std::make_shared<Watcher>()) {
    auto runtime = runtime::Runtime::Acquire(FakeWorker());
    EXPECT_TRUE(runtime.ok()) << runtime.status().message();
    if (runtime.ok()) runtime_ = *runtime;
  }

  bool ok() const { return runtime_ != nullptr; }
  runtime::Runtime& runtime() { return *runtime_; }
  Watcher& watcher() { return *watcher_; }
  runtime::LauncherClient& launcher() { return runtime_->launcher(); }

  Result<uint64_t> Try(const std::vector<std::string>& words,
                       const std::vector<std::string>& environment = {}) {
    auto sockets = platform::MakeSocketPair();
    if (!sockets.ok()) return sockets.status();
    runtime::StartRequest request;
    request.program = FakeWorker();
    request.arguments = {"fake_worker"};
    request.arguments.insert(request.arguments.end(), words.begin(), words.end());
    request.extra_environment = environment;
    request.channel_fd = sockets->second.get();
    auto child = launcher().Start(request, watcher_);
    if (child.ok()) channels_[*child] = std::move(sockets->first);
    return child;
  }
  // A child that must start; 0 if it does not.
  uint64_t Start(const std::vector<std::string>& words, const std::vector<std::string>& environment = {}) {
    auto child = Try(words, environment);
    EXPECT_TRUE(child.ok()) << child.status().message();
    if (!child.ok()) return 0;
    EXPECT_TRUE(watcher_->WaitStarted(*child)) << watcher_->Of(*child).why.message();
    return *child;
  }
  // Ends our side of a child's descriptor 3.
  void Close(uint64_t child) { channels_.erase(child); }
  // What a child wrote to its descriptor 3.
  std::string Read(uint64_t child) {
    platform::Message message;
    if (platform::ReceiveMessage(channels_[child].get(), true, &message) != platform::Receive::kMessage)
      return "";
    return std::string(AsText(message.bytes));
  }
  Status Finish() {
    channels_.clear();
    return runtime::Runtime::Finish(30000 * kMs);
  }

 private:
  std::shared_ptr<Watcher> watcher_;
  std::shared_ptr<runtime::Runtime> runtime_;
  std::map<uint64_t, platform::UniqueFd> channels_;
};

}  // namespace mproc::test
