// SPDX-License-Identifier: MIT
// The one runtime of a process: made, ended, made anew, and not inherited by forked children.
#include "runtime/runtime.hh"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "support/host.hh"

namespace mproc::test {
namespace {

using runtime::Runtime;

constexpr int64_t kLong = 30000 * kMs;

std::shared_ptr<Runtime> Acquire() {
  auto runtime = Runtime::Acquire(FakeWorker());
  EXPECT_TRUE(runtime.ok()) << runtime.status().message();
  return runtime.ok() ? *runtime : nullptr;
}

TEST(Runtime, IsOneForAll) {
  InChild([] {
    EXPECT_EQ(Runtime::Current(), nullptr);
    auto first = Acquire();
    EXPECT_EQ(Acquire(), first);
    EXPECT_EQ(Runtime::Current(), first);
    EXPECT_TRUE(Runtime::Finish(kLong).ok());
    EXPECT_EQ(Runtime::Current(), nullptr);
  });
}

TEST(Runtime, MayBeFinishedAnyTimeAndStartedAnew) {
  InChild([] {
    WarmUp();
    auto descriptors = OpenDescriptors();
    EXPECT_TRUE(Runtime::Finish(kLong).ok());  // there is none
    for (int i = 0; i < 5; i++) {
      auto runtime = Acquire();
      EXPECT_TRUE(Runtime::Finish(kLong).ok());
      EXPECT_TRUE(Runtime::Finish(0).ok());
      // What is kept of an ended one does nothing.
      runtime->Post([] { FAIL(); });
      EXPECT_EQ(runtime->launcher().Start({}, {}).status().code(), MPROC_ERROR_NOT_RUNNING);
      EXPECT_EQ(runtime->launcher().pid(), 0);
      runtime->launcher().Signal(1, SIGKILL);
    }
    EXPECT_EQ(OpenDescriptors(), descriptors);
  });
}

TEST(Runtime, RunsPostedActionsInOrderOnTheEngineThread) {
  InChild([] {
    auto runtime = Acquire();
    std::vector<int> seen;
    std::string name;
    bool on_engine = false, blocked = true;
    for (int i = 0; i < 100; i++) runtime->Post([&seen, i] { seen.push_back(i); });
    runtime->Post([&] {
      on_engine = runtime->OnEngineThread();
      char text[32] = "";
      pthread_getname_np(pthread_self(), text, sizeof text);
      name = text;
      sigset_t mask;
      pthread_sigmask(SIG_SETMASK, nullptr, &mask);
      for (int signo : {SIGINT, SIGTERM, SIGCHLD, SIGUSR1, SIGSEGV})
        blocked &= sigismember(&mask, signo) == 1;
      EXPECT_EQ(Runtime::Finish(kLong).code(), MPROC_ERROR_WOULD_BLOCK_ITSELF);
    });
    EXPECT_TRUE(Runtime::Finish(kLong).ok());
    EXPECT_EQ(seen.size(), 100U);
    EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));
    EXPECT_TRUE(on_engine);
    EXPECT_TRUE(blocked);
    EXPECT_EQ(name, "mproc-engine");
    EXPECT_FALSE(runtime->OnEngineThread());
  });
}

class SlowMember : public Runtime::Member {
 public:
  void BeginEnd() override { begun++; }
  bool WaitEnded(const Deadline&) override { return may_end; }
  int begun = 0;
  bool may_end = false;
};

TEST(Runtime, WaitsForItsMembers) {
  InChild([] {
    auto runtime = Acquire();
    auto member = std::make_shared<SlowMember>();
    auto forgotten = std::make_shared<SlowMember>();
    EXPECT_TRUE(runtime->AddMember(member));
    EXPECT_TRUE(runtime->AddMember(forgotten));
    forgotten.reset();
    EXPECT_EQ(Runtime::Finish(0).code(), MPROC_ERROR_TIMED_OUT);
    EXPECT_EQ(Runtime::Finish(5 * kMs).code(), MPROC_ERROR_TIMED_OUT);
    EXPECT_EQ(member->begun, 2);
    EXPECT_FALSE(runtime->AddMember(member));
    // Meanwhile there may be another one.
    auto next = Acquire();
    EXPECT_NE(next, runtime);
    member->may_end = true;
    EXPECT_TRUE(Runtime::Finish(kLong).ok());
    EXPECT_EQ(next->launcher().pid(), 0);
  });
}

TEST(Runtime, FinishHoldsItsLimit) {
  InChild([] {
    auto runtime = Acquire();
    std::mutex mutex;
    mutex.lock();
    runtime->Post([&] { std::lock_guard wait(mutex); });  // the engine is busy
    int64_t begin = NowNs();
    EXPECT_EQ(Runtime::Finish(50 * kMs).code(), MPROC_ERROR_TIMED_OUT);
    EXPECT_GE(NowNs() - begin, 50 * kMs);
    mutex.unlock();
    EXPECT_TRUE(Runtime::Finish(kLong).ok());
  });
}

TEST(Runtime, ManyThreadsMayAcquireAndFinish) {
  InChild([] {
    WarmUp();
    Mark mark;
    auto descriptors = OpenDescriptors();
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; t++) {
      threads.emplace_back([] {
        for (int i = 0; i < 10; i++) {
          auto runtime = Acquire();
          if (runtime) runtime->Post([] {});
          EXPECT_TRUE(Runtime::Finish(kLong).ok());
        }
      });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_TRUE(Runtime::Finish(kLong).ok());
    EXPECT_EQ(OpenDescriptors(), descriptors);
    EXPECT_TRUE(mark.SoonGone());
  });
}

TEST(Runtime, AMissingWorkerProgramIsToldWithThePlaces) {
  InChild([] {
    auto runtime = Runtime::Acquire("/nowhere/mproc-worker");
    EXPECT_EQ(runtime.status().code(), MPROC_ERROR_NO_WORKER_PROGRAM);
    EXPECT_NE(runtime.status().message().find("/nowhere/mproc-worker"), std::string::npos);
    EXPECT_EQ(Runtime::Current(), nullptr);
    EXPECT_NE(Acquire(), nullptr);  // nothing is in the way of another try
    EXPECT_TRUE(Runtime::Finish(kLong).ok());
  });
}

TEST(Runtime, IsNotInherited) {
  if (kThreadSanitizer) GTEST_SKIP() << "thread sanitizer allows no threads after a fork with threads";
  InChild([] {
    Mark mark;
    Host host;
    ASSERT_TRUE(host.ok());
    uint64_t stays = host.Start({"stay"});
    pid_t launcher = host.launcher().pid();
    InChild([&] {
      EXPECT_FALSE(host.runtime().IsOurs());
      EXPECT_EQ(Runtime::Current(), nullptr);
      EXPECT_EQ(Runtime::Finish(kLong).code(), MPROC_ERROR_FORKED);
      EXPECT_EQ(host.Try({"exit", "0"}).status().code(), MPROC_ERROR_FORKED);
      host.launcher().Signal(stays, SIGKILL);  // does nothing
      host.runtime().Post([] { FAIL(); });
      {
        Host own;  // a fresh one
        ASSERT_TRUE(own.ok());
        EXPECT_NE(own.launcher().pid(), launcher);
        EXPECT_NE(&own.runtime(), &host.runtime());
        uint64_t child = own.Start({"exit", "4"});
        EXPECT_TRUE(own.watcher().WaitEnded(child));
        EXPECT_TRUE(own.Finish().ok());
      }
      EXPECT_TRUE(Runtime::Finish(kLong).ok());
    });
    EXPECT_EQ(host.watcher().Of(stays).ends, 0);
    EXPECT_EQ(host.launcher().pid(), launcher);
    EXPECT_TRUE(host.Finish().ok());
    EXPECT_TRUE(mark.SoonGone());
  });
}

}  // namespace
}  // namespace mproc::test
