// SPDX-License-Identifier: MIT
#include "platform/pidfd.hh"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/processes.hh"
#include "support/seccomp.hh"

namespace mproc::platform {
namespace {

using test::Deny;
using test::InChild;
using test::kPidfdOpen;
using test::kPidfdSendSignal;

pid_t StartSleeper() {
  pid_t child = fork();
  if (child == 0) {
    for (;;) pause();
  }
  return child;
}

// The whole life of a child by a reference, the same with and without pidfds.
void WatchALife(bool with_pidfd) {
  pid_t child = StartSleeper();
  ASSERT_GT(child, 0);
  ProcessRef ref = ProcessRef::Open(child);
  EXPECT_EQ(ref.fd() >= 0, with_pidfd);
  EXPECT_EQ(ref.pid(), child);
  EXPECT_FALSE(ref.Ended());
  EXPECT_TRUE(ref.IsChild());
  EXPECT_FALSE(ref.Reap());
  EXPECT_TRUE(ref.Signal(0));
  EXPECT_TRUE(ref.Signal(SIGKILL));
  EXPECT_TRUE(test::Soon([&] { return ref.Ended(); }));  // a zombie has ended
  EXPECT_TRUE(ref.Reap());
  EXPECT_TRUE(ref.Ended());
  EXPECT_FALSE(ref.IsChild());
  EXPECT_FALSE(ref.Signal(SIGKILL));
  EXPECT_TRUE(ref.Reap());  // nothing left to do
}

TEST(ProcessRef, WatchesAndSignals) {
  auto own = OpenPidfd(getpid());
  WatchALife(own.ok());
}

TEST(ProcessRef, WorksWithoutPidfds) {
  for (int error : {ENOSYS, EPERM}) {
    InChild([error] {
      if (!Deny({{kPidfdOpen, error}, {kPidfdSendSignal, error}})) GTEST_SKIP() << "no seccomp filters";
      WatchALife(false);
    });
  }
}

TEST(ProcessRef, SignalsWithoutPidfdSendSignal) {
  InChild([] {
    auto own = OpenPidfd(getpid());
    bool has_pidfd = own.ok();
    if (!Deny({{kPidfdSendSignal, EPERM}})) GTEST_SKIP() << "no seccomp filters";
    WatchALife(has_pidfd);
  });
}

TEST(ProcessRef, AnEmptyOneHasEnded) {
  ProcessRef none;
  EXPECT_FALSE(none.valid());
  EXPECT_TRUE(none.Ended());
  EXPECT_FALSE(none.Signal(SIGKILL));
  EXPECT_TRUE(none.Reap());
}

TEST(PeerPid, IsWhoMadeTheSocket) {
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
  auto pid = PeerPid(ends[1]);
  ASSERT_TRUE(pid.ok());
  EXPECT_EQ(*pid, getpid());
  close(ends[0]);
  close(ends[1]);
}

}  // namespace
}  // namespace mproc::platform
