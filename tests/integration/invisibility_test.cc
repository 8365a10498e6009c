// SPDX-License-Identifier: MIT
// The host cannot tell that there are other processes: no SIGCHLD, nothing for wait(), whatever it does with
// signals and children of its own. Each test is a host of its own; MPROC_TEST_ROUNDS sets how often the
// runtime is started in each.
#include <errno.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <atomic>
#include <set>
#include <thread>

#include "support/host.hh"

namespace mproc::test {
namespace {

int Rounds() {
  const char* given = getenv("MPROC_TEST_ROUNDS");
  if (given) return atoi(given);
  return kThreadSanitizer ? 10 : 50;
}

std::atomic<int> g_sigchld{0};

void CountSigchld() {
  struct sigaction action {};
  action.sa_handler = [](int) { g_sigchld++; };
  sigaction(SIGCHLD, &action, nullptr);
}

// One life of a runtime: launcher, a child that ends by itself, one that is killed.
void LiveOnce(std::set<pid_t>* pids = nullptr) {
  Host host;
  ASSERT_TRUE(host.ok());
  uint64_t first = host.Start({"exit", "7"});
  uint64_t second = host.Start({"stay"});
  if (pids) *pids = {host.launcher().pid(), host.watcher().Of(first).pid, host.watcher().Of(second).pid};
  host.launcher().Signal(second, SIGKILL);
  ASSERT_TRUE(host.watcher().WaitEnded(first));
  ASSERT_TRUE(host.watcher().WaitEnded(second));
  EXPECT_EQ(host.watcher().Of(first).exit.code, 7);
  EXPECT_EQ(host.watcher().Of(second).exit.signal, SIGKILL);
  Status status = host.Finish();
  EXPECT_TRUE(status.ok()) << status.message();
}

void ExpectNoChild() {
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG | __WALL), -1);
  EXPECT_EQ(errno, ECHILD);
}

// Lives many times and looks for what is left afterwards.
void LiveOften() {
  WarmUp();
  Mark mark;
  auto descriptors = OpenDescriptors();
  for (int i = 0; i < Rounds() && !::testing::Test::HasFailure(); i++) LiveOnce();
  EXPECT_EQ(OpenDescriptors(), descriptors);
  EXPECT_TRUE(mark.SoonGone());
}

TEST(Invisibility, NoSignalAndNoChild) {
  InChild([] {
    CountSigchld();
    for (int i = 0; i < 3; i++) {
      LiveOften();
      ExpectNoChild();
    }
    EXPECT_EQ(g_sigchld, 0);
  });
}

TEST(Invisibility, AThreadInWaitSeesNothing) {
  InChild([] {
    CountSigchld();
    std::atomic<bool> stop = false;
    std::atomic<int> found = 0;
    std::thread reaper([&] {
      while (!stop) {
        if (wait(nullptr) != -1 || errno != ECHILD) found++;
        if (waitpid(-1, nullptr, 0) != -1 || errno != ECHILD) found++;
        sched_yield();
      }
    });
    LiveOften();
    stop = true;
    reaper.join();
    EXPECT_EQ(found, 0);
    EXPECT_EQ(g_sigchld, 0);
  });
}

// The intermediate can be taken by such a thread, which does no harm; what we use never can.
TEST(Invisibility, AThreadThatWaitsForAllKindsDoesNoHarm) {
  InChild([] {
    CountSigchld();
    std::atomic<bool> stop = false;
    std::mutex mutex;
    std::set<pid_t> taken;
    bool ended_badly = false;
    std::thread reaper([&] {
      while (!stop) {
        int status = 0;
        pid_t pid = waitpid(-1, &status, __WALL);
        if (pid > 0) {
          std::lock_guard lock(mutex);
          taken.insert(pid);
          ended_badly |= status != 0;
        }
        sched_yield();
      }
    });
    for (int i = 0; i < Rounds(); i++) {
      std::set<pid_t> ours;
      LiveOnce(&ours);
      std::lock_guard lock(mutex);
      for (pid_t pid : ours) EXPECT_EQ(taken.count(pid), 0U);
      taken.clear();
    }
    stop = true;
    reaper.join();
    EXPECT_FALSE(ended_badly);
    EXPECT_EQ(g_sigchld, 0);
  });
}

TEST(Invisibility, HostThatIgnoresSigchld) {
  InChild([] {
    signal(SIGCHLD, SIG_IGN);
    LiveOften();
    ExpectNoChild();
    EXPECT_EQ(signal(SIGCHLD, SIG_DFL), SIG_IGN);
  });
}

TEST(Invisibility, HostThatWantsNoZombies) {
  InChild([] {
    struct sigaction action {};
    action.sa_handler = [](int) { g_sigchld++; };
    action.sa_flags = SA_NOCLDWAIT;
    sigaction(SIGCHLD, &action, nullptr);
    LiveOften();
    ExpectNoChild();
    EXPECT_EQ(g_sigchld, 0);
  });
}

TEST(Invisibility, TheHostsOwnChildrenAreItsOwn) {
  InChild([] {
    Host host;
    ASSERT_TRUE(host.ok());
    host.Start({"stay"});
    pid_t own = fork();
    if (own == 0) _exit(23);
    int status = 0;
    EXPECT_EQ(wait(&status), own);
    EXPECT_EQ(WEXITSTATUS(status), 23);
    ExpectNoChild();
    EXPECT_TRUE(host.Finish().ok());
  });
}

// A reaper of orphans does get the launcher as its child: the library reaps it, and the workers of a launcher
// that was killed as well.
TEST(Invisibility, SubreaperGetsTheLauncherAndTheLibraryReapsIt) {
  InChild([] {
    ASSERT_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
    CountSigchld();
    LiveOften();
    ExpectNoChild();
    EXPECT_GT(g_sigchld, 0);

    Host host;
    ASSERT_TRUE(host.ok());
    uint64_t child = host.Start({"stay"});
    siginfo_t info{};
    EXPECT_EQ(waitid(P_PID, static_cast<id_t>(host.launcher().pid()), &info, WEXITED | WNOHANG | WNOWAIT), 0);
    EXPECT_TRUE(KillOne(host.launcher().pid(), SIGKILL));
    ASSERT_TRUE(host.watcher().WaitEnded(child));
    EXPECT_FALSE(host.watcher().Of(child).exit.known);
    ExpectNoChild();
    EXPECT_TRUE(host.Finish().ok());
  });
}

TEST(Invisibility, SubreaperWithAReaperThread) {
  InChild([] {
    ASSERT_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
    std::atomic<bool> stop = false;
    std::thread reaper([&] {
      while (!stop) {
        if (wait(nullptr) < 0) sched_yield();
      }
    });
    LiveOften();
    stop = true;
    reaper.join();
    ExpectNoChild();
  });
}

TEST(Invisibility, FirstProcessOfAContainer) {
  if (kThreadSanitizer) GTEST_SKIP() << "thread sanitizer does not work as process 1";
  InChild([] {
    g_look_for_leaks = false;
    if (unshare(CLONE_NEWPID) != 0) GTEST_SKIP() << "needs the right to make a pid namespace";
    InChild([] {
      g_look_for_leaks = false;
      ASSERT_EQ(getpid(), 1);
      for (int i = 0; i < 5; i++) LiveOnce();
      ExpectNoChild();
    });
  });
}

TEST(Invisibility, SignalsAndMaskStayAsTheyWere) {
  InChild([] {
    signal(SIGUSR1, SIG_IGN);
    sigset_t mask, after;
    sigemptyset(&mask);
    sigaddset(&mask, SIGUSR2);
    sigprocmask(SIG_SETMASK, &mask, nullptr);
    auto dispositions = [] {
      std::vector<void (*)(int)> all;
      for (int signo = 1; signo < 65; signo++) {
        struct sigaction action {};
        sigaction(signo, nullptr, &action);
        all.push_back(action.sa_handler);
      }
      return all;
    };
    auto before = dispositions();
    LiveOnce();
    EXPECT_EQ(dispositions(), before);
    sigprocmask(SIG_SETMASK, nullptr, &after);
    for (int signo = 1; signo < 32; signo++) EXPECT_EQ(sigismember(&after, signo), signo == SIGUSR2) << signo;
  });
}

}  // namespace
}  // namespace mproc::test
