// SPDX-License-Identifier: MIT
#include "platform/fork_mark.hh"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/processes.hh"
#include "support/seccomp.hh"

namespace mproc::platform {
namespace {

using test::InChild;

// The exit code of `body` run in a forked child.
template <typename F>
int CodeOfChild(F body, bool raw = false) {
  pid_t child = raw ? static_cast<pid_t>(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0)) : fork();
  if (child == 0) _exit(body());
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int g_actions = 0;
void Count() { g_actions++; }

void CheckEpochs() {
  ASSERT_TRUE(CheckForkWatch().ok());
  uint32_t own = ForkEpoch();
  EXPECT_EQ(own, ForkEpoch());
  EXPECT_NE(own, 0U);
  EXPECT_EQ(CodeOfChild([own] {
              if (ForkEpoch() == own) return 1;
              uint32_t child = ForkEpoch();
              // And once more, a generation down.
              return CodeOfChild([own, child] { return ForkEpoch() == own || ForkEpoch() == child ? 1 : 0; });
            }),
            0);
  EXPECT_EQ(ForkEpoch(), own);
}

TEST(ForkMark, GivesEachForkedChildAnotherEpoch) {
  InChild([] {
    CheckEpochs();
    if (getenv("NO_KERNEL_MARKS")) {
      EXPECT_FALSE(KernelMarksForks());
    }
  });
}

TEST(ForkMark, SeesChildrenOfTheRawSystemCall) {
  InChild([] {
    ASSERT_TRUE(CheckForkWatch().ok());
    if (!KernelMarksForks()) GTEST_SKIP() << "no MADV_WIPEONFORK";
    uint32_t own = ForkEpoch();
    EXPECT_EQ(CodeOfChild([own] { return ForkEpoch() == own ? 1 : 0; }, true), 0);
  });
}

// The watch begins when a program is loaded: so this loads itself again.
TEST(ForkMark, WorksWithoutTheKernelsHelp) {
  if (getenv("NO_KERNEL_MARKS")) return;
  for (int error : {EINVAL, EPERM, ENOSYS}) {
    InChild([error] {
      if (!test::Deny({{SYS_madvise, error, 2, ~0U, MADV_WIPEONFORK}})) GTEST_SKIP() << "no seccomp filters";
      setenv("NO_KERNEL_MARKS", "1", 1);
      execl("/proc/self/exe", "again", "--gtest_filter=ForkMark.*", nullptr);
      FAIL() << "cannot run itself";
    });
  }
}

TEST(ForkMark, RunsActionsInTheChildOnly) {
  InChild([] {
    ASSERT_TRUE(CheckForkWatch().ok());
    EXPECT_TRUE(OnForkInChild(Count));
    EXPECT_TRUE(OnForkInChild(Count));  // the same one counts once
    EXPECT_EQ(CodeOfChild([] { return g_actions; }), 1);
    EXPECT_EQ(g_actions, 0);
  });
}

}  // namespace
}  // namespace mproc::platform
