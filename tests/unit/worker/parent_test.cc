// SPDX-License-Identifier: MIT
// The parent of a process, by its number: what is told when it ended before anybody asked.
#include "worker/parent.hh"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/resource.h>

#include "platform/pidfd.hh"
#include "support/processes.hh"
#include "worker/process_self.hh"

namespace mproc::worker {
namespace {

using test::InChild;

// A child of this process that runs until it is dropped, and then is reaped.
class Parent {
 public:
  Parent() : pid_(fork()) {
    if (pid_ > 0) return;
    for (;;) pause();
  }
  ~Parent() { End(); }
  void End() {
    if (pid_ > 1 && kill(pid_, SIGKILL) == 0) waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }
  pid_t pid() const { return pid_; }

 private:
  pid_t pid_;
};

bool Readable(int fd) {
  pollfd look{fd, POLLIN, 0};
  return poll(&look, 1, 0) == 1 && (look.revents & POLLIN);
}

bool HasPidfds() { return platform::OpenPidfd(getpid()).ok(); }

TEST(Parent, TheEndIsSeen) {
  if (!HasPidfds()) GTEST_SKIP() << "no descriptors of processes here";
  InChild([] {
    Parent parent;
    SelfMark self({"child", "1", parent.pid(), "parent", false}, false);
    auto fd = ParentSentinel();
    ASSERT_TRUE(fd.ok()) << fd.status().message();
    EXPECT_FALSE(Readable(*fd));
    EXPECT_EQ(JoinParent(Deadline::After(0)).code(), MPROC_ERROR_TIMED_OUT);
    parent.End();
    EXPECT_TRUE(Readable(*fd));
    EXPECT_TRUE(JoinParent(Deadline::After(0)).ok());
    EXPECT_EQ(*ParentSentinel(), *fd);
  });
}

TEST(Parent, TheEndIsToldToWhoAsksAfterIt) {
  if (!HasPidfds()) GTEST_SKIP() << "no descriptors of processes here";
  InChild([] {
    Parent parent;
    SelfMark self({"child", "1", parent.pid(), "parent", false}, false);
    parent.End();
    auto fd = ParentSentinel();
    ASSERT_TRUE(fd.ok()) << fd.status().message();
    EXPECT_TRUE(Readable(*fd));
    EXPECT_TRUE(JoinParent(Deadline::After(0)).ok());
    EXPECT_EQ(*ParentSentinel(), *fd);
  });
}

TEST(Parent, WithoutDescriptorsItIsAskedAgain) {
  if (!HasPidfds()) GTEST_SKIP() << "no descriptors of processes here";
  InChild([] {
    Parent parent;
    SelfMark self({"child", "1", parent.pid(), "parent", false}, false);
    rlimit old{}, none{};
    ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &old), 0);
    none = old;
    none.rlim_cur = 0;
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
    int32_t refused = ParentSentinel().status().code();
    int32_t lives = JoinParent(Deadline::After(0)).code();
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &old), 0);
    EXPECT_EQ(refused, MPROC_ERROR_DESCRIPTOR_LIMIT);
    EXPECT_EQ(lives, MPROC_ERROR_TIMED_OUT);
    auto fd = ParentSentinel();
    ASSERT_TRUE(fd.ok()) << fd.status().message();
    EXPECT_FALSE(Readable(*fd));
  });
}

}  // namespace
}  // namespace mproc::worker
