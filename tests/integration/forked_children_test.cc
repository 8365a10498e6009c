// SPDX-License-Identifier: MIT
// Children that the host forks itself: how their ends are seen, with pidfds and without.
#include "runtime/forked_children.hh"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform/child.hh"
#include "support/host.hh"
#include "support/seccomp.hh"

namespace mproc::test {
namespace {

constexpr int64_t kLong = 30000 * kMs;

// A runtime whose children do as they are told.
class Forks {
 public:
  Forks() : watcher_(std::make_shared<Watcher>()) {
    auto runtime = runtime::Runtime::AcquireEngine();
    EXPECT_TRUE(runtime.ok());
    runtime_ = *runtime;
    auto sockets = platform::MakeSocketPair();
    sockets_ = std::move(*sockets);
  }

  uint64_t Start(runtime::ChildBody body) {
    runtime::StartRequest request;
    request.channel_fd = sockets_.second.get();
    request.body = std::move(body);
    auto child = runtime_->forked().Start(request, watcher_);
    EXPECT_TRUE(child.ok());
    return child.ok() ? *child : 0;
  }
  uint64_t StartStaying() {
    int ready[2];
    char byte;
    EXPECT_EQ(pipe(ready), 0);
    uint64_t child = Start([host = getpid(), ready](int) {
      platform::SettleAsFork(host, "stays");
      close(ready[1]);
      for (;;) pause();
      return 0;
    });
    EXPECT_TRUE(watcher_->WaitStarted(child));
    close(ready[1]);
    EXPECT_EQ(read(ready[0], &byte, 1), 0);  // it has settled
    close(ready[0]);
    return child;
  }
  runtime::ChildExit End(uint64_t child) {
    EXPECT_TRUE(watcher_->WaitEnded(child));
    EXPECT_EQ(watcher_->Of(child).ends, 1);
    return watcher_->Of(child).exit;
  }
  void Signal(uint64_t child, int signo) { runtime_->forked().Signal(child, signo); }
  runtime::Runtime& runtime() { return *runtime_; }
  Watcher& watcher() { return *watcher_; }

 private:
  std::shared_ptr<runtime::Runtime> runtime_;
  std::shared_ptr<Watcher> watcher_;
  std::pair<platform::UniqueFd, platform::UniqueFd> sockets_;
};

void LiveThroughEverything() {
  Forks forks;
  pid_t host = getpid();
  auto exit = forks.End(forks.Start([](int socket) { return socket >= 3 ? 7 : 8; }));
  EXPECT_TRUE(exit.known);
  EXPECT_EQ(exit.code, 7);
  EXPECT_EQ(exit.signal, 0);
  exit = forks.End(forks.Start([host](int) { return getppid() == host ? 3 : 4; }));
  EXPECT_EQ(exit.code, 3);
  uint64_t stays = forks.StartStaying();
  forks.Signal(stays, SIGTERM);
  EXPECT_EQ(forks.End(stays).signal, SIGTERM);
  forks.Signal(stays, SIGTERM);  // ended: nothing happens
  forks.Signal(12345, SIGKILL);
  // What is stopped has not ended.
  stays = forks.StartStaying();
  forks.Signal(stays, SIGSTOP);
  usleep(30000);
  EXPECT_EQ(forks.watcher().Of(stays).ends, 0);
  forks.Signal(stays, SIGKILL);
  EXPECT_EQ(forks.End(stays).signal, SIGKILL);
  for (int i = 0; i < 20; i++) {  // also before they are forked
    uint64_t child = forks.Start([](int) { return pause(); });
    forks.Signal(child, SIGKILL);
    exit = forks.End(child);
    EXPECT_TRUE(exit.known);
    EXPECT_EQ(exit.signal, SIGKILL);
  }
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1);  // all are reaped
  EXPECT_EQ(errno, ECHILD);
  EXPECT_TRUE(runtime::Runtime::Finish(kLong).ok());
}

TEST(ForkedChildren, LiveAndEnd) {
  InChild([] {
    WarmUp();
    auto descriptors = OpenDescriptors();
    LiveThroughEverything();
    EXPECT_EQ(OpenDescriptors(), descriptors);
  });
}

TEST(ForkedChildren, WithoutPidfds) {
  InChild([] {
    if (!Deny({{kPidfdOpen, ENOSYS}, {kPidfdSendSignal, ENOSYS}})) GTEST_SKIP() << "no seccomp filters here";
    LiveThroughEverything();
  });
}

TEST(ForkedChildren, StatusMayBeTakenBySomebodyElse) {
  InChild([] {
    signal(SIGCHLD, SIG_IGN);
    for (bool with_pidfds : {true, false}) {
      if (!with_pidfds && !Deny({{kPidfdOpen, ENOSYS}})) return;
      Forks forks;
      for (int i = 0; i < 10; i++) {
        auto exit = forks.End(forks.Start([](int) { return 7; }));
        EXPECT_FALSE(exit.known);
        EXPECT_EQ(exit.code, 255);
      }
      EXPECT_TRUE(runtime::Runtime::Finish(kLong).ok());
    }
  });
}

TEST(ForkedChildren, AFailedForkIsTold) {
  InChild([] {
    g_look_for_leaks = false;
    // A process is cloned without CLONE_THREAD.
    if (!Deny({{SYS_clone, EAGAIN, 0, CLONE_THREAD, 0}})) GTEST_SKIP() << "no seccomp filters here";
    Forks forks;
    uint64_t child = forks.Start([](int) { return 0; });
    EXPECT_TRUE(forks.watcher().WaitEnded(child));
    EXPECT_TRUE(forks.watcher().Of(child).failed);
    EXPECT_EQ(forks.watcher().Of(child).why.os_code(), EAGAIN);
    EXPECT_TRUE(runtime::Runtime::Finish(kLong).ok());
  });
}

TEST(ForkedChildren, EndWithTheRuntime) {
  InChild([] {
    Forks forks;
    std::vector<uint64_t> children;
    for (int i = 0; i < 5; i++) children.push_back(forks.StartStaying());
    EXPECT_TRUE(runtime::Runtime::Finish(kLong).ok());
    for (uint64_t child : children) EXPECT_EQ(forks.watcher().Of(child).exit.signal, SIGKILL);
    runtime::StartRequest request;
    request.channel_fd = 0;
    EXPECT_EQ(forks.runtime().forked().Start(request, {}).status().code(), MPROC_ERROR_NOT_RUNNING);
    EXPECT_EQ(forks.runtime().threads().Start(request, {}).status().code(), MPROC_ERROR_NOT_RUNNING);
    forks.runtime().forked().WaitForked();
  });
}

}  // namespace
}  // namespace mproc::test
