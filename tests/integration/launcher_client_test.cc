// SPDX-License-Identifier: MIT
// Children through the launcher: what they get, how their ends are told, and launchers that die, stop, or
// belong to a user that the host no longer is.
#include <fcntl.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "platform/child.hh"
#include "support/host.hh"

namespace mproc::test {
namespace {

// Each test in a process of its own; afterwards no process, child or descriptor may be left.
void InHost(const std::function<void(Host&)>& body) {
  InChild([&] {
    WarmUp();
    Mark mark;
    auto descriptors = OpenDescriptors();
    {
      Host host;
      ASSERT_TRUE(host.ok());
      body(host);
      Status status = host.Finish();
      EXPECT_TRUE(status.ok()) << status.message();
    }
    EXPECT_TRUE(mark.SoonGone());
    EXPECT_EQ(OpenDescriptors(), descriptors);
    EXPECT_EQ(waitpid(-1, nullptr, WNOHANG | __WALL), -1);
  });
}

// Holds a process up while it lives, and never for longer.
class Stopped {
 public:
  explicit Stopped(pid_t pid) : process_(platform::ProcessRef::Open(pid)) {
    process_.Signal(SIGSTOP);
    EXPECT_TRUE(Soon([&] { return StateOf(pid) == 'T' || StateOf(pid) == 't'; }));
  }
  ~Stopped() { process_.Signal(SIGCONT); }

 private:
  platform::ProcessRef process_;
};

TEST(LauncherClient, TellsHowChildrenEnd) {
  InHost([](Host& host) {
    uint64_t exits = host.Start({"exit", "42"});
    uint64_t aborts = host.Start({"abort"});
    uint64_t waits = host.Start({"wait"});
    uint64_t stays = host.Start({"stay"});
    EXPECT_NE(exits, aborts);
    host.Close(waits);
    host.launcher().Signal(stays, SIGTERM);
    for (uint64_t child : {exits, aborts, waits, stays}) {
      ASSERT_TRUE(host.watcher().WaitEnded(child));
      EXPECT_TRUE(host.watcher().Of(child).exit.known);
      EXPECT_EQ(host.watcher().Of(child).ends, 1);
    }
    EXPECT_EQ(host.watcher().Of(exits).exit.code, 42);
    EXPECT_EQ(host.watcher().Of(exits).exit.signal, 0);
    EXPECT_EQ(host.watcher().Of(aborts).exit.signal, SIGABRT);
    EXPECT_EQ(host.watcher().Of(waits).exit.code, 0);
    EXPECT_EQ(host.watcher().Of(stays).exit.signal, SIGTERM);
    host.launcher().Signal(stays, SIGTERM);  // ended: nothing happens
    host.launcher().Signal(123456, SIGTERM);
  });
}

TEST(LauncherClient, GivesChildrenTheHostsSurroundingsOfTheMoment) {
  InHost([](Host& host) {
    char directory[] = "/tmp/mproc-test-XXXXXX";
    ASSERT_NE(mkdtemp(directory), nullptr);
    ASSERT_EQ(chdir(directory), 0);  // all of it changed since the launcher started
    umask(031);
    setenv("MPROC_TEST_EXTRA", "not this one", 1);
    uint64_t child = host.Start({"report"}, {"MPROC_TEST_EXTRA=words with spaces"});
    std::string report = host.Read(child);
    ASSERT_EQ(chdir("/"), 0);
    rmdir(directory);
    auto has = [&](const std::string& part) {
      EXPECT_NE(report.find(part), std::string::npos) << part << " is not in: " << report;
    };
    has(std::string("cwd=") + directory + " ");
    has("umask=031");
    has("uid=" + std::to_string(getuid()));
    has("in=/dev/null");
    has("fds=0,1,2,3 ");
    has("extra=words with spaces");
    has("blocked=0 ignored=0");
    has("sid=" + std::to_string(host.launcher().pid()));
    has("ppid=" + std::to_string(host.launcher().pid()));
    EXPECT_EQ(report.find("out=none"), std::string::npos);
  });
}

TEST(LauncherClient, HostWithStandardDescriptorsClosed) {
  InChild([] {
    int saved = fcntl(2, F_DUPFD_CLOEXEC, 200);
    for (int fd : {0, 1, 2}) close(fd);
    std::string report;
    int forked_status = -1;
    Status finished;
    bool still_closed = true;
    {
      Host host;
      if (host.ok()) {
        report = host.Read(host.Start({"report"}));
        pid_t forked = fork();
        if (forked == 0) exit(0);  // with all exit handlers
        waitpid(forked, &forked_status, 0);
        finished = host.Finish();
      }
      for (int fd : {0, 1, 2}) still_closed = still_closed && fcntl(fd, F_GETFD) == -1;
    }
    dup2(saved, 1);
    dup2(saved, 2);
    EXPECT_NE(report.find("in=/dev/null out=/dev/null err=/dev/null fds=0,1,2,3 "), std::string::npos)
        << report;
    EXPECT_EQ(forked_status, 0);
    EXPECT_TRUE(finished.ok()) << finished.message();
    EXPECT_TRUE(still_closed);
  });
}

TEST(LauncherClient, TellsWhyAChildCannotStart) {
  InHost([](Host& host) {
    runtime::StartRequest request;
    request.program = "/nowhere/program";
    request.arguments = {"program"};
    auto watcher = std::make_shared<Watcher>();
    auto child = host.launcher().Start(request, watcher);
    ASSERT_TRUE(child.ok());
    ASSERT_TRUE(watcher->WaitEnded(*child));
    EXPECT_TRUE(watcher->Of(*child).failed);
    EXPECT_EQ(watcher->Of(*child).why.os_code(), ENOENT);
    EXPECT_NE(watcher->Of(*child).why.message().find("/nowhere/program"), std::string::npos);
    request.arguments = {std::string("a\0b", 3)};
    EXPECT_EQ(host.launcher().Start(request, watcher).status().code(), MPROC_ERROR_INVALID_ARGUMENT);
  });
}

TEST(LauncherClient, CarriesALargeEnvironment) {
  InHost([](Host& host) {
    for (int i = 0; i < 20; i++) {
      setenv(("MPROC_TEST_LARGE" + std::to_string(i)).c_str(), std::string(50000, 'x').c_str(), 1);
    }
    uint64_t child = host.Start({"report"}, {"MPROC_TEST_EXTRA=yes"});
    EXPECT_NE(host.Read(child).find("extra=yes"), std::string::npos);
  });
}

TEST(LauncherClient, ServesManyThreads) {
  InHost([](Host& host) {
    std::vector<std::thread> threads;
    std::atomic<int> right = 0;
    for (int t = 0; t < 4; t++) {
      threads.emplace_back([&, t] {
        auto watcher = std::make_shared<Watcher>();
        std::vector<uint64_t> children;
        for (int i = 0; i < 15; i++) {
          runtime::StartRequest request;
          request.program = FakeWorker();
          request.arguments = {"fake_worker", "exit", std::to_string(t * 15 + i)};
          auto child = host.launcher().Start(request, watcher);
          if (child.ok()) children.push_back(*child);
        }
        for (size_t i = 0; i < children.size(); i++) {
          if (!watcher->WaitEnded(children[i])) continue;
          auto story = watcher->Of(children[i]);
          if (story.ends == 1 && story.exit.code == t * 15 + static_cast<int>(i)) right++;
        }
      });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(right, 60);
  });
}

TEST(LauncherClient, StartsDoNotWaitForAStoppedLauncher) {
  InHost([](Host& host) {
    setenv("MPROC_TEST_LARGE", std::string(6000, 'x').c_str(), 1);  // fills the socket sooner
    uint64_t stays = host.Start({"stay"});
    auto stopped = std::make_unique<Stopped>(host.launcher().pid());
    std::vector<uint64_t> children;
    for (int i = 0; i < 60; i++) {
      auto child = host.Try({"exit", std::to_string(i)});
      ASSERT_TRUE(child.ok()) << child.status().message();
      children.push_back(*child);
    }
    host.launcher().Signal(children[59], SIGKILL);
    host.launcher().Signal(stays, SIGKILL);  // gets there all the same
    EXPECT_TRUE(Soon([&] { return StateOf(host.watcher().Of(stays).pid) == 'Z'; }));
    stopped.reset();
    for (int i = 0; i < 60; i++) {
      ASSERT_TRUE(host.watcher().WaitEnded(children[static_cast<size_t>(i)])) << i;
      auto exit = host.watcher().Of(children[static_cast<size_t>(i)]).exit;
      if (i < 59) {
        EXPECT_EQ(exit.code, i);
      }
    }
    // Its kill was there before it was its turn: it never ran.
    auto killed = host.watcher().Of(children[59]);
    EXPECT_EQ(killed.exit.signal, SIGKILL);
    EXPECT_EQ(killed.pid, 0);
    EXPECT_TRUE(host.watcher().WaitEnded(stays));
  });
}

// Without the rights of root, the descriptors that are under way count against the limit of open ones.
TEST(LauncherClient, MoreStartsThanDescriptorsMayBeUnderWay) {
  InChild([] {
    if (getuid() == 0 && !BecomeAUserOfItsOwn()) GTEST_SKIP() << "cannot become an ordinary user";
    if (access(FakeWorker().c_str(), X_OK) != 0) GTEST_SKIP() << "the build tree is not open to other users";
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = 110;
    setrlimit(RLIMIT_NOFILE, &limit);
    Host host;
    ASSERT_TRUE(host.ok());
    host.Start({"exit", "0"});
    auto stopped = std::make_unique<Stopped>(host.launcher().pid());
    std::vector<uint64_t> children;
    for (int i = 0; i < 32; i++) {
      auto child = host.Try({"exit", "6"});
      ASSERT_TRUE(child.ok()) << i << ": " << child.status().message();
      children.push_back(*child);
    }
    stopped.reset();
    for (uint64_t child : children) {
      ASSERT_TRUE(host.watcher().WaitEnded(child));
      EXPECT_EQ(host.watcher().Of(child).exit.code, 6);
    }
    EXPECT_TRUE(host.Finish().ok());
  });
}

TEST(LauncherClient, ChildrenOfAChildHaveTheirOwnLauncher) {
  InHost([](Host& host) {
    setenv(platform::kLauncherPidVariable, "1", 1);  // as if this process were a worker itself
    uint64_t child = host.Start({"exit", "5"});
    EXPECT_TRUE(host.watcher().WaitEnded(child));
    EXPECT_EQ(host.watcher().Of(child).exit.code, 5);
  });
}

TEST(LauncherClient, ReplacesALauncherThatDied) {
  InHost([](Host& host) {
    std::vector<uint64_t> children;
    for (int i = 0; i < 3; i++) children.push_back(host.Start({"stubborn"}));
    pid_t old = host.launcher().pid();
    EXPECT_TRUE(KillOne(old, SIGKILL));
    for (uint64_t child : children) {
      ASSERT_TRUE(host.watcher().WaitEnded(child));
      auto story = host.watcher().Of(child);
      EXPECT_FALSE(story.failed);
      EXPECT_FALSE(story.exit.known);
      EXPECT_EQ(story.exit.code, 255);
      EXPECT_EQ(story.ends, 1);
      char state = StateOf(story.pid);
      EXPECT_TRUE(state == '\0' || state == 'Z' || state == 'X') << state;
    }
    uint64_t next = host.Start({"exit", "1"});
    EXPECT_NE(host.launcher().pid(), old);
    EXPECT_TRUE(host.watcher().WaitEnded(next));
    EXPECT_TRUE(host.watcher().Of(next).exit.known);
  });
}

TEST(LauncherClient, NoChildIsForgottenWhenLaunchersDieAllTheTime) {
  InHost([](Host& host) {
    std::vector<uint64_t> children;
    for (int i = 0; i < 60; i++) {
      auto child = host.Try({i % 2 ? "stay" : "exit", "5"});
      ASSERT_TRUE(child.ok()) << child.status().message();
      children.push_back(*child);
      if (i % 6 == 5) KillOne(host.launcher().pid(), SIGKILL);
    }
    KillOne(host.launcher().pid(), SIGKILL);
    for (uint64_t child : children) {
      ASSERT_TRUE(host.watcher().WaitEnded(child));
      EXPECT_EQ(host.watcher().Of(child).ends, 1);
    }
  });
}

TEST(LauncherClient, ALauncherThatEndsAtOnceIsAnError) {
  InChild([] {
    auto runtime = runtime::Runtime::Acquire("/bin/true");
    ASSERT_TRUE(runtime.ok());
    runtime::StartRequest request;
    request.program = FakeWorker();
    request.arguments = {"fake_worker", "exit"};
    auto watcher = std::make_shared<Watcher>();
    for (int i = 0; i < 5; i++) {
      auto child = (*runtime)->launcher().Start(request, watcher);
      if (!child.ok()) continue;  // found out before the request was sent
      ASSERT_TRUE(watcher->WaitEnded(*child));
      EXPECT_TRUE(watcher->Of(*child).failed);
    }
    EXPECT_TRUE(runtime::Runtime::Finish(30000 * kMs).ok());
  });
}

TEST(LauncherClient, FinishEndsAStoppedLauncher) {
  InHost([](Host& host) {
    host.Start({"stay"});
    EXPECT_TRUE(KillOne(host.launcher().pid(), SIGSTOP));
  });
}

TEST(LauncherClient, AHostThatChangedItsUserGetsAnotherLauncher) {
  InChild([] {
    if (getuid() != 0) GTEST_SKIP() << "needs root to become another user";
    Mark mark;
    Host host;
    ASSERT_TRUE(host.ok());
    uint64_t rooted = host.Start({"stay"});
    pid_t old = host.launcher().pid();
    ASSERT_EQ(setgroups(0, nullptr), 0);
    ASSERT_EQ(setresgid(65534, 65534, 65534), 0);
    ASSERT_EQ(setresuid(65534, 65534, 65534), 0);
    if (access(FakeWorker().c_str(), X_OK) != 0) {
      GTEST_SKIP() << "the build tree is not open to other users";
    }
    uint64_t child = host.Start({"report"});
    EXPECT_NE(host.Read(child).find("uid=65534"), std::string::npos);
    EXPECT_NE(host.launcher().pid(), old);
    EXPECT_NE(StateOf(old), '\0');  // it keeps what it has
    EXPECT_EQ(host.watcher().Of(rooted).ends, 0);
    host.launcher().Signal(rooted, SIGKILL);  // which this user may not do, but the launcher may
    ASSERT_TRUE(host.watcher().WaitEnded(rooted));
    EXPECT_TRUE(host.watcher().Of(rooted).exit.known);
    EXPECT_EQ(host.watcher().Of(rooted).exit.signal, SIGKILL);
    EXPECT_TRUE(Soon([&] { return StateOf(old) == '\0' || StateOf(old) == 'Z'; }));  // and ends
    EXPECT_TRUE(host.Finish().ok());
    EXPECT_TRUE(mark.SoonGone());
  });
}

// With every number of free descriptors: it works or says so, and nothing leaks.
TEST(LauncherClient, DescriptorLimitOfTheHost) {
  if (kAddressSanitizer) GTEST_SKIP() << "the sanitizer itself needs descriptors";
  InChild([] {
    platform::CloseFrom(3);  // no holes below the limit
    WarmUp();
    auto before = OpenDescriptors();
    rlimit old{};
    getrlimit(RLIMIT_NOFILE, &old);
    int first = atoi(before.back().c_str()) + 1;
    int worked = 0, refused = 0;
    for (int room = 0; room < 40; room++) {
      rlimit limit = old;
      limit.rlim_cur = static_cast<rlim_t>(first + room);
      setrlimit(RLIMIT_NOFILE, &limit);
      auto runtime = runtime::Runtime::Acquire(FakeWorker());
      bool all = runtime.ok();
      if (!runtime.ok()) {
        EXPECT_EQ(runtime.status().code(), MPROC_ERROR_DESCRIPTOR_LIMIT) << runtime.status().message();
      } else {
        auto watcher = std::make_shared<Watcher>();
        runtime::StartRequest request;
        request.program = FakeWorker();
        request.arguments = {"fake_worker", "exit", "3"};
        auto child = (*runtime)->launcher().Start(request, watcher);
        all = child.ok();
        if (child.ok()) {
          EXPECT_TRUE(watcher->WaitEnded(*child));
          all = !watcher->Of(*child).failed;
        } else {
          EXPECT_EQ(child.status().code(), MPROC_ERROR_DESCRIPTOR_LIMIT) << child.status().message();
        }
      }
      EXPECT_TRUE(runtime::Runtime::Finish(30000 * kMs).ok());
      setrlimit(RLIMIT_NOFILE, &old);
      (all ? worked : refused)++;
      ASSERT_EQ(OpenDescriptors(), before) << "with room for " << room;
    }
    EXPECT_GT(worked, 0);
    EXPECT_GT(refused, 0);
  });
}

TEST(LauncherClient, DescriptorLimitAtTheVeryFirstStart) {
  if (kAddressSanitizer) GTEST_SKIP() << "the sanitizer itself needs descriptors";
  InChild([] {  // libuv has opened nothing yet
    platform::CloseFrom(3);
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = 12;
    setrlimit(RLIMIT_NOFILE, &limit);
    auto runtime = runtime::Runtime::Acquire(FakeWorker());
    if (!runtime.ok()) {
      EXPECT_EQ(runtime.status().code(), MPROC_ERROR_DESCRIPTOR_LIMIT);
    }
    EXPECT_TRUE(runtime::Runtime::Finish(30000 * kMs).ok());
  });
}

TEST(LauncherClient, DescriptorLimitOfTheLauncher) {
  if (kAddressSanitizer) GTEST_SKIP() << "the sanitizer itself needs descriptors";
  InHost([](Host& host) {
    host.Start({"exit", "0"});  // so the launcher runs
    rlimit old{}, low{};
    ASSERT_EQ(prlimit(host.launcher().pid(), RLIMIT_NOFILE, nullptr, &old), 0);
    for (rlim_t room = 3; room < 24; room++) {
      low = old;
      low.rlim_cur = room;
      ASSERT_EQ(prlimit(host.launcher().pid(), RLIMIT_NOFILE, &low, nullptr), 0);
      auto child = host.Try({"exit", "9"});
      ASSERT_TRUE(child.ok());
      ASSERT_TRUE(host.watcher().WaitEnded(*child)) << room;
      auto story = host.watcher().Of(*child);
      if (story.failed) {
        EXPECT_EQ(story.why.code(), MPROC_ERROR_DESCRIPTOR_LIMIT) << story.why.message();
      }
      if (room == 3 || room == 23) {
        EXPECT_EQ(story.failed, room == 3);
      }
    }
    ASSERT_EQ(prlimit(host.launcher().pid(), RLIMIT_NOFILE, &old, nullptr), 0);
    host.Start({"exit", "9"});
  });
}

}  // namespace
}  // namespace mproc::test
