// SPDX-License-Identifier: MIT
#include "platform/launch.hh"

#include <errno.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>

#include "platform/socket.hh"
#include "support/processes.hh"

namespace mproc::platform {
namespace {

using test::InChild;
using test::OpenDescriptors;

struct Shell {
  Result<Launched> launched;
  UniqueFd socket;
};

// Launches a shell whose descriptor 3 is a socket to us.
Shell LaunchShell(const char* script) {
  auto sockets = MakeSocketPair();
  EXPECT_TRUE(sockets.ok());
  const char* arguments[] = {"sh", "-c", script, nullptr};
  auto launched = Launch({"/bin/sh", arguments, nullptr, sockets->second.get()});
  return {std::move(launched), std::move(sockets->first)};
}

std::string Hear(const Shell& shell) {
  Message message;
  if (ReceiveMessage(shell.socket.get(), true, &message) != Receive::kMessage) return "";
  return std::string(AsText(message.bytes));
}

TEST(Launch, RunsTheProgramWithItsSocket) {
  auto before = OpenDescriptors();
  {
    Shell shell = LaunchShell("echo hello $$ >&3");
    ASSERT_TRUE(shell.launched.ok()) << shell.launched.status().message();
    EXPECT_EQ(Hear(shell), "hello " + std::to_string(shell.launched->process.pid()) + "\n");
    EXPECT_TRUE(test::Soon([&] { return shell.launched->process.Ended(); }));
  }
  EXPECT_EQ(OpenDescriptors(), before);
}

TEST(Launch, LeavesNoChildBehind) {
  for (int i = 0; i < 20; i++) {
    Shell shell = LaunchShell("exit 3");
    ASSERT_TRUE(shell.launched.ok());
    EXPECT_FALSE(shell.launched->is_child);
    EXPECT_EQ(waitpid(-1, nullptr, WNOHANG | __WALL), -1);
    EXPECT_EQ(errno, ECHILD);
  }
}

TEST(Launch, GivesTheProgramNothingElse) {
  int leaky = dup(1);  // not close-on-exec
  Shell shell = LaunchShell("echo $(ls /proc/self/fd | wc -l) $(readlink /proc/$$/fd/0 /proc/$$/fd/1) >&3");
  close(leaky);
  ASSERT_TRUE(shell.launched.ok());
  // ls has 0, 1, 2, 3, the directory, and the host's pidfd where there is one.
  std::string heard = Hear(shell);
  auto pidfd = OpenPidfd(getpid());
  EXPECT_EQ(heard, std::string(pidfd.ok() ? "6" : "5") + " /dev/null /dev/null\n");
}

TEST(Launch, ResetsSignals) {
  InChild([] {
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, nullptr);
    signal(SIGUSR1, SIG_IGN);
    signal(SIGCHLD, SIG_IGN);
    Shell shell = LaunchShell("grep -E 'Sig(Blk|Ign)' /proc/$$/status | cut -f 2 | tr '\\n' ' ' >&3");
    ASSERT_TRUE(shell.launched.ok());
    EXPECT_EQ(Hear(shell), "0000000000000000 0000000000000000 ");
    sigset_t now;
    sigprocmask(SIG_SETMASK, nullptr, &now);
    EXPECT_EQ(sigismember(&now, SIGUSR2), 1);  // ours is as it was
    EXPECT_EQ(signal(SIGUSR1, SIG_DFL), SIG_IGN);
  });
}

TEST(Launch, TellsWhyAProgramCannotStart) {
  auto before = OpenDescriptors();
  for (const char* path : {"/nowhere/mproc-worker", "/etc/passwd"}) {
    auto sockets = MakeSocketPair();
    const char* arguments[] = {"x", nullptr};
    auto launched = Launch({path, arguments, nullptr, sockets->second.get()});
    ASSERT_FALSE(launched.ok());
    EXPECT_EQ(launched.status().os_code(), path[1] == 'n' ? ENOENT : EACCES);
    EXPECT_NE(launched.status().message().find(path), std::string::npos);
    EXPECT_EQ(waitpid(-1, nullptr, WNOHANG | __WALL), -1);
  }
  EXPECT_EQ(OpenDescriptors(), before);
}

TEST(Launch, WorksWithStandardDescriptorsClosed) {
  InChild([] {
    int saved = fcntl(2, F_DUPFD_CLOEXEC, 100);
    for (int fd = 0; fd < 10; fd++) close(fd);
    Shell shell = LaunchShell("readlink /proc/$$/fd/2 >&3");
    ASSERT_TRUE(shell.launched.ok());
    EXPECT_EQ(Hear(shell), "/dev/null\n");
    EXPECT_EQ(fcntl(0, F_GETFD), -1);  // the low numbers stay free
    dup2(saved, 2);
  });
}

TEST(Launch, FailsCleanlyWithoutDescriptors) {
  InChild([] {
    auto sockets = MakeSocketPair();
    ASSERT_TRUE(sockets.ok());
    auto before = OpenDescriptors();
    int highest = sockets->second.get() + 1;
    bool failed = false, worked = false;
    for (int room = 0; room < 16; room++) {
      rlimit limit{};
      getrlimit(RLIMIT_NOFILE, &limit);
      rlimit old = limit;
      limit.rlim_cur = static_cast<rlim_t>(highest + room);
      setrlimit(RLIMIT_NOFILE, &limit);
      const char* arguments[] = {"true", nullptr};
      auto launched = Launch({"/bin/true", arguments, nullptr, sockets->second.get()});
      setrlimit(RLIMIT_NOFILE, &old);
      if (launched.ok()) {
        worked = true;
        launched->process = ProcessRef();
      } else {
        failed = true;
        EXPECT_FALSE(worked) << "with room for " << room << " more";
        EXPECT_EQ(launched.status().code(), MPROC_ERROR_DESCRIPTOR_LIMIT);
      }
      EXPECT_EQ(OpenDescriptors(), before) << "with room for " << room << " more";
      EXPECT_EQ(waitpid(-1, nullptr, WNOHANG | __WALL), -1);
    }
    EXPECT_TRUE(failed);
    EXPECT_TRUE(worked);
  });
}

}  // namespace
}  // namespace mproc::platform
