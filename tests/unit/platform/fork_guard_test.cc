// SPDX-License-Identifier: MIT
#include "platform/fork_guard.hh"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "support/processes.hh"

namespace mproc::platform {
namespace {

using test::InChild;

bool IsOpen(int fd) { return fcntl(fd, F_GETFD) >= 0; }

int CodeOfChild(const std::function<int()>& body, bool raw = false) {
  pid_t child = raw ? static_cast<pid_t>(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0)) : fork();
  if (child == 0) _exit(body());
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(ForkGuard, ClosesOursInForkedChildren) {
  InChild([] {
    ASSERT_TRUE(StartForkGuard().ok());
    GuardedFd ours(std::move(*platform::OpenNull()));
    platform::UniqueFd theirs = std::move(*platform::OpenNull());
    EXPECT_EQ(CodeOfChild([&] { return !IsOpen(ours.get()) && IsOpen(theirs.get()) ? 0 : 1; }), 0);
    EXPECT_TRUE(IsOpen(ours.get()));
  });
}

TEST(ForkGuard, ForgetsWhatWasClosed) {
  InChild([] {
    ASSERT_TRUE(StartForkGuard().ok());
    GuardedFd ours(std::move(*platform::OpenNull()));
    int number = ours.get();
    GuardedFd moved = std::move(ours);
    EXPECT_FALSE(ours.valid());
    EXPECT_EQ(moved.get(), number);
    moved.Reset();
    platform::UniqueFd theirs = std::move(*platform::OpenNull());
    EXPECT_EQ(theirs.get(), number);
    EXPECT_EQ(CodeOfChild([&] { return IsOpen(number) ? 0 : 1; }), 0);
  });
}

TEST(ForkGuard, KeepsDescriptorsThatAChildMakesItself) {
  InChild([] {
    ASSERT_TRUE(StartForkGuard().ok());
    GuardedFd ours(std::move(*platform::OpenNull()));
    EXPECT_EQ(CodeOfChild([&] {
                if (!StartForkGuard().ok()) return 1;
                GuardedFd own(std::move(*platform::OpenNull()));
                CloseInheritedFds();
                if (!IsOpen(own.get())) return 2;
                // But its own children do not get that one.
                return CodeOfChild([&] { return IsOpen(own.get()) ? 3 : 0; });
              }),
              0);
  });
}

TEST(ForkGuard, CleansUpLateAfterTheRawSystemCall) {
  InChild([] {
    ASSERT_TRUE(StartForkGuard().ok());
    if (!platform::KernelMarksForks()) GTEST_SKIP() << "no MADV_WIPEONFORK";
    GuardedFd ours(std::move(*platform::OpenNull()));
    auto body = [&] {
      if (!IsOpen(ours.get())) return 1;  // no handler ran
      CloseInheritedFds();
      return IsOpen(ours.get()) ? 2 : 0;
    };
    EXPECT_EQ(CodeOfChild(body, true), 0);
  });
}

TEST(ForkGuard, NoForkFindsOneThatIsNotRegisteredYet) {
  InChild([] {
    ASSERT_TRUE(StartForkGuard().ok());
    auto open_ones = [] {
      int count = 0;
      for (int fd = 0; fd < 64; fd++) count += IsOpen(fd) ? 1 : 0;
      return count;
    };
    const int before = open_ones();
    std::atomic<bool> enough{false};
    std::thread maker([&] {
      while (!enough) {
        auto ends = MakeGuardedSocketPair();
        auto copy = DuplicateGuarded(ends->first.get());
        auto pipe = MakeGuardedPipe(platform::Writes::kBlocking);
        ASSERT_TRUE(ends.ok() && copy.ok() && pipe.ok());
      }
    });
    int missed = 0;
    for (int i = 0; i < 400; i++) {
      missed += CodeOfChild([&] { return open_ones() == before ? 0 : 1; });
    }
    enough = true;
    maker.join();
    EXPECT_EQ(missed, 0);
  });
}

TEST(ForkGuard, TakesAnyNumber) {
  InChild([] {
    ASSERT_TRUE(StartForkGuard().ok());
    for (int fd : {-1, 1 << 20, (1 << 20) - 1, 1 << 30}) {
      GuardFd(fd);
      UnguardFd(fd);
    }
    int high = fcntl(2, F_DUPFD_CLOEXEC, 900);
    ASSERT_GE(high, 900);
    GuardedFd ours{platform::UniqueFd(high)};
    EXPECT_EQ(CodeOfChild([&] { return IsOpen(high) ? 1 : 0; }), 0);
  });
}

}  // namespace
}  // namespace mproc::platform
