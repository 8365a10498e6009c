// SPDX-License-Identifier: MIT
// Whatever dies, nothing is left: hosts and launchers are killed here, together and apart, while a child that
// the host forked keeps all its sockets open.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/host.hh"

namespace mproc::test {
namespace {

constexpr int kWorkers = 8;
constexpr int64_t kSecond = 1000 * kMs;

// What a host told of itself before it was killed.
struct Told {
  pid_t launcher;
  pid_t holder;  // the forked child that holds the host's sockets
};

struct Killed {
  pid_t host = 0;
  Told told{};
  int lifeline = -1;  // the holder ends when this closes

  // Ends what the test started and is not part of it.
  void CleanUp() {
    close(lifeline);
    if (host > 0) {
      KillOne(host, SIGKILL);
      waitpid(host, nullptr, 0);
    }
    EXPECT_TRUE(Soon(
        [this] { return told.holder <= 0 || StateOf(told.holder) == '\0' || StateOf(told.holder) == 'Z'; }));
  }
};

// A host with 8 children that never end by themselves, in a process of its own. With `hold`, it has a child
// made by the raw system call, in which no fork handler closed anything.
Killed StartHost(bool hold, const char* what = "stay") {
  Killed killed;
  int report[2], lifeline[2];
  EXPECT_EQ(pipe(report), 0);
  EXPECT_EQ(pipe(lifeline), 0);
  fflush(nullptr);
  killed.host = fork();
  if (killed.host == 0) {
    close(report[0]);
    close(lifeline[1]);
    Host host;
    for (int i = 0; host.ok() && i < kWorkers; i++) host.Start({what});
    Told told{host.ok() && !::testing::Test::HasFailure() ? host.launcher().pid() : 0, 0};
    if (hold) {
      told.holder = static_cast<pid_t>(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
      if (told.holder == 0) {
        char byte;
        while (read(lifeline[0], &byte, 1) > 0) {
        }
        _exit(0);
      }
    }
    if (write(report[1], &told, sizeof told) != sizeof told) _exit(1);
    for (;;) pause();
  }
  close(report[1]);
  close(lifeline[0]);
  killed.lifeline = lifeline[1];
  EXPECT_EQ(read(report[0], &killed.told, sizeof killed.told), static_cast<ssize_t>(sizeof killed.told));
  close(report[0]);
  EXPECT_GT(killed.told.launcher, 0);
  return killed;
}

TEST(DeathChain, HostAndLauncherKilledTogether) {
  Mark mark;
  Killed killed = StartHost(true);
  if (killed.told.launcher > 0) {
    EXPECT_EQ(mark.Alive().size(), kWorkers + 1U);
    KillOne(killed.host, SIGKILL);
    KillOne(killed.told.launcher, SIGKILL);
    EXPECT_TRUE(mark.SoonGone(10 * kSecond));      // some milliseconds, where there is a CPU to end on
    EXPECT_NE(StateOf(killed.told.holder), '\0');  // it was there all the time
  }
  killed.CleanUp();
}

TEST(DeathChain, HostKilledWhileAChildHoldsItsSockets) {
  Mark mark;
  Killed killed = StartHost(true);
  if (killed.told.launcher > 0) {
    KillOne(killed.host, SIGKILL);
    EXPECT_TRUE(mark.SoonGone(5 * kSecond));
  }
  killed.CleanUp();
}

TEST(DeathChain, HostKilledWithStubbornWorkers) {
  Mark mark;
  Killed killed = StartHost(false, "stubborn");
  if (killed.told.launcher > 0) {
    KillOne(killed.host, SIGKILL);
    EXPECT_TRUE(mark.SoonGone(5 * kSecond));
  }
  killed.CleanUp();
}

TEST(DeathChain, LauncherEndedByAnAdministrator) {
  Mark mark;
  Killed killed = StartHost(false, "stubborn");
  if (killed.told.launcher > 0) {
    for (int signo : {SIGINT, SIGHUP, SIGUSR1}) KillOne(killed.told.launcher, signo);  // do nothing
    KillOne(killed.told.launcher, SIGTERM);
    EXPECT_TRUE(mark.SoonGone(5 * kSecond));
  }
  killed.CleanUp();
}

TEST(DeathChain, LauncherDiesWithAHostThatJustEnds) {
  Mark mark;
  fflush(nullptr);
  pid_t child = fork();
  if (child == 0) {
    Host host;
    host.Start({"stay"});
    exit(host.ok() ? 0 : 1);  // no Finish
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_TRUE(mark.SoonGone(5 * kSecond));
}

TEST(DeathChain, ForkedChildrenOfTheHostDoNotHoldOurSockets) {
  InChild([] {
    WarmUp();
    size_t before = OpenDescriptors().size();
    Host host;
    ASSERT_TRUE(host.ok());
    host.Start({"stay"});
    size_t channels = 1;  // the host's own sockets are its own business
    InChild([&] { EXPECT_EQ(OpenDescriptors().size(), before + channels); });
    EXPECT_TRUE(host.Finish().ok());
    EXPECT_EQ(OpenDescriptors().size(), before);
  });
}

}  // namespace
}  // namespace mproc::test
