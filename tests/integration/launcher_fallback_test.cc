// SPDX-License-Identifier: MIT
// What an old kernel or a sandbox lacks, one thing at a time and all at once: children start, end and are
// told of as ever, the death chain holds, and nothing is left.
#include <errno.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "platform/fork_mark.hh"
#include "support/host.hh"
#include "support/seccomp.hh"

namespace mproc::test {
namespace {

// A host's day: children that end, are killed, lose their launcher, and are forgotten.
void LiveThroughEverything() {
  WarmUp();
  Mark mark;
  auto descriptors = OpenDescriptors();
  {
    Host host;
    ASSERT_TRUE(host.ok());
    uint64_t exits = host.Start({"exit", "7"});
    uint64_t killed = host.Start({"stay"});
    ASSERT_TRUE(host.watcher().WaitEnded(exits));
    EXPECT_EQ(host.watcher().Of(exits).exit.code, 7);
    host.launcher().Signal(killed, SIGKILL);
    ASSERT_TRUE(host.watcher().WaitEnded(killed));
    EXPECT_TRUE(host.watcher().Of(killed).exit.known);
    EXPECT_EQ(host.watcher().Of(killed).exit.signal, SIGKILL);
    uint64_t reports = host.Start({"report"});
    std::string report = host.Read(reports);
    EXPECT_NE(report.find("fds=0,1,2,3 "), std::string::npos) << report;
    EXPECT_NE(report.find("blocked=0 ignored=0"), std::string::npos) << report;

    uint64_t orphan = host.Start({"stubborn"});
    pid_t old = host.launcher().pid();
    EXPECT_TRUE(KillOne(old, SIGKILL));
    ASSERT_TRUE(host.watcher().WaitEnded(orphan));
    EXPECT_FALSE(host.watcher().Of(orphan).exit.known);
    host.Start({"stay"});
    EXPECT_NE(host.launcher().pid(), old);
    EXPECT_EQ(waitpid(-1, nullptr, WNOHANG | __WALL), -1);
    Status status = host.Finish();
    EXPECT_TRUE(status.ok()) << status.message();
  }
  EXPECT_EQ(OpenDescriptors(), descriptors);
  EXPECT_TRUE(mark.SoonGone());
}

// The host is killed; its launcher must notice without help.
void DieWithoutAWord() {
  Mark mark;
  fflush(nullptr);
  pid_t child = fork();
  if (child == 0) {
    Host host;
    host.Start({"stay"});
    // Somebody keeps the host's sockets open for longer than the launcher may take.
    if (syscall(SYS_clone, 0, 0, 0, 0, 0) == 0) {
      for (int i = 0; i < 200 && !mark.Alive().empty(); i++) usleep(100000);
      _exit(0);
    }
    raise(SIGKILL);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status));
  EXPECT_TRUE(mark.SoonGone(10000 * kMs));
}

struct Lack {
  const char* name;
  std::vector<Denied> calls;

  friend void PrintTo(const Lack& lack, std::ostream* out) { *out << lack.name; }
};

std::vector<Denied> With(int error, std::vector<Denied> calls) {
  for (Denied& call : calls) call.error = error;
  return calls;
}

constexpr uint32_t kVfork = CLONE_VFORK;
constexpr uint32_t kShared = CLONE_FILES | CLONE_VFORK;
constexpr uint32_t kPidfd = 0x1000;

std::vector<Lack> Lacks() {
  std::vector<Lack> lacks;
  for (int error : {ENOSYS, EPERM}) {
    lacks.push_back({"pidfd_open", With(error, {{kPidfdOpen, 0}})});
    lacks.push_back({"pidfd_send_signal", With(error, {{kPidfdSendSignal, 0}})});
    lacks.push_back({"close_range", With(error, {{kCloseRange, 0}})});
    lacks.push_back({"clone with a pidfd", With(error, {{SYS_clone, 0, 0, kPidfd, kPidfd}})});
    lacks.push_back({"clone with shared files", With(error, {{SYS_clone, 0, 0, kShared, kShared}})});
    lacks.push_back({"clone with shared memory", With(error, {{SYS_clone, 0, 0, kVfork, kVfork}})});
    lacks.push_back({"madvise", With(error, {{SYS_madvise, 0, 2, ~0U, MADV_WIPEONFORK}})});
    lacks.push_back({"all of them", With(error, {{kPidfdOpen, 0},
                                                 {kPidfdSendSignal, 0},
                                                 {kCloseRange, 0},
                                                 {SYS_clone, 0, 0, kPidfd, kPidfd},
                                                 {SYS_clone, 0, 0, kVfork, kVfork},
                                                 {SYS_madvise, 0, 2, ~0U, MADV_WIPEONFORK}})});
  }
  lacks.push_back(
      {"clone flags of its time", {{SYS_clone, EINVAL, 0, kPidfd, kPidfd}, {kPidfdOpen, ENOSYS}}});
  return lacks;
}

class LauncherFallback : public ::testing::TestWithParam<Lack> {};

TEST_P(LauncherFallback, ServesAsEver) {
  InChild([this] {
    if (!Deny(GetParam().calls)) GTEST_SKIP() << "no seccomp filters here";
    LiveThroughEverything();
  });
}

TEST_P(LauncherFallback, DeathChainHolds) {
  InChild([this] {
    if (!Deny(GetParam().calls)) GTEST_SKIP() << "no seccomp filters here";
    DieWithoutAWord();
  });
}

INSTANTIATE_TEST_SUITE_P(Without, LauncherFallback, ::testing::ValuesIn(Lacks()), [](const auto& lack) {
  std::string name = lack.param.name;
  for (char& c : name) c = c == ' ' ? '_' : c;
  const char* error = lack.param.calls[0].error == EPERM ? "_EPERM" : "_ENOSYS";
  return name + (lack.param.calls[0].error == EINVAL ? "_EINVAL" : error);
});

TEST(LauncherFallbacks, NoMemoryFilesIsUnsupportedOnlyWhereOneIsNeeded) {
  InChild([] {
    if (!Deny({{SYS_memfd_create, ENOSYS}})) GTEST_SKIP() << "no seccomp filters here";
    LiveThroughEverything();
    Host host;
    ASSERT_TRUE(host.ok());
    setenv("MPROC_TEST_LARGE", std::string(50000, 'x').c_str(), 1);
    auto child = host.Try({"exit", "0"});
    EXPECT_EQ(child.status().code(), MPROC_ERROR_UNSUPPORTED);
    unsetenv("MPROC_TEST_LARGE");
    host.Start({"exit", "0"});
    EXPECT_TRUE(host.Finish().ok());
  });
}

TEST(LauncherFallbacks, NoCloneAtAllIsAnError) {
  InChild([] {
    g_look_for_leaks = false;
    WarmUp();
    auto descriptors = OpenDescriptors();
    // Threads are made by clone3, or by clone with CLONE_THREAD.
    if (!Deny({{SYS_clone, EAGAIN, 0, CLONE_THREAD, 0}})) GTEST_SKIP() << "no seccomp filters here";
    auto runtime = runtime::Runtime::Acquire(FakeWorker());
    ASSERT_FALSE(runtime.ok());
    EXPECT_EQ(runtime.status().os_code(), EAGAIN);
    EXPECT_NE(runtime.status().message().find("starting the launcher process"), std::string::npos);
    EXPECT_EQ(OpenDescriptors(), descriptors);
  });
}

TEST(LauncherFallbacks, WithoutProc) {
  InChild([] {
    g_look_for_leaks = false;
    std::string worker = FakeWorker();
    bool hidden = unshare(CLONE_NEWNS) == 0 &&
                  mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                  mount("none", "/proc", "tmpfs", 0, nullptr) == 0;
    if (!hidden) GTEST_SKIP() << "needs the right to hide /proc";
    setenv("MPROC_FAKE_WORKER", worker.c_str(), 1);
    for (bool with_pidfds : {true, false}) {
      InChild([&] {
        if (!with_pidfds && !Deny({{kPidfdOpen, ENOSYS}, {kCloseRange, ENOSYS}})) return;
        Host host;
        ASSERT_TRUE(host.ok());
        uint64_t exits = host.Start({"exit", "7"});
        uint64_t stays = host.Start({"stay"});
        EXPECT_TRUE(host.watcher().WaitEnded(exits));
        host.launcher().Signal(stays, SIGKILL);
        EXPECT_TRUE(host.watcher().WaitEnded(stays));
        EXPECT_TRUE(host.Finish().ok());
      });
    }
  });
}

}  // namespace
}  // namespace mproc::test
