// SPDX-License-Identifier: MIT
#include "loop/poll.hh"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>

#include "platform/socket.hh"

namespace mproc::loop {
namespace {

class PollTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(loop_.Init().ok());
    auto ends = platform::MakeSocketPair();
    ASSERT_TRUE(ends.ok());
    ends_ = std::move(*ends);
  }
  void Say(const char* word) {
    ASSERT_TRUE(platform::SendMessage(ends_.second.get(), AsBytes(word), {}, false).ok());
  }

  Loop loop_;
  std::pair<platform::UniqueFd, platform::UniqueFd> ends_;
};

TEST_F(PollTest, TellsWhatIsPossible) {
  Poll poll;
  int seen = -1;
  auto note = [&](int events) {
    seen = events;
    loop_.Stop();
  };
  ASSERT_TRUE(poll.Start(loop_, ends_.first.get(), kWritable, note).ok());
  loop_.Run();
  EXPECT_EQ(seen, kWritable);
  ASSERT_TRUE(poll.Watch(kReadable).ok());
  seen = -1;
  loop_.RunDue();
  EXPECT_EQ(seen, -1);
  Say("x");
  loop_.Run();
  EXPECT_EQ(seen, kReadable);
  ASSERT_TRUE(poll.Watch(0).ok());
  seen = -1;
  loop_.RunDue();
  EXPECT_EQ(seen, -1);
}

TEST_F(PollTest, TellsTheEndOfAPeerWithUnreadMessages) {
  Poll poll;
  int calls = 0;
  bool ended = false;
  auto read = [&](int) {
    calls++;
    platform::Message message;
    if (platform::ReceiveMessage(ends_.first.get(), false, &message) == platform::Receive::kEnd) ended = true;
    loop_.Stop();
  };
  ASSERT_TRUE(poll.Start(loop_, ends_.first.get(), kReadable, read).ok());
  ASSERT_TRUE(platform::SendMessage(ends_.first.get(), AsBytes("unread"), {}, false).ok());
  ends_.second.Reset();
  loop_.Run();
  EXPECT_EQ(calls, 1);
  EXPECT_TRUE(ended);
}

TEST_F(PollTest, MayBeDestroyedInItsCallback) {
  auto poll = std::make_unique<Poll>();
  int calls = 0;
  ASSERT_TRUE(poll->Start(loop_, ends_.first.get(), kReadable,
                          [&](int) {
                            calls++;
                            poll.reset();
                          })
                  .ok());
  Say("x");
  loop_.Run();
  EXPECT_EQ(calls, 1);
}

TEST_F(PollTest, LeavesTheDescriptorFreeForAnother) {
  auto never = [](int) { FAIL(); };
  Poll poll;
  ASSERT_TRUE(poll.Start(loop_, ends_.first.get(), kReadable, never).ok());
  poll.Close();
  int number = ends_.first.get();
  ends_.first.Reset();
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
  EXPECT_EQ(ends[0], number);
  bool called = false;
  Poll second;
  ASSERT_TRUE(second
                  .Start(loop_, ends[0], kReadable,
                         [&](int) {
                           called = true;
                           loop_.Stop();
                         })
                  .ok());
  ASSERT_EQ(write(ends[1], "y", 1), 1);
  loop_.Run();
  EXPECT_TRUE(called);
  second.Close();
  close(ends[0]);
  close(ends[1]);
}

TEST_F(PollTest, RefusesWhatCannotBeWatched) {
  platform::UniqueFd file(open("/etc/passwd", O_RDONLY | O_CLOEXEC));
  Poll poll;
  Status status = poll.Start(loop_, file.get(), kReadable, [](int) {});
  EXPECT_FALSE(status.ok());
  EXPECT_FALSE(poll.started());
  EXPECT_FALSE(poll.Start(loop_, 1 << 20, kReadable, [](int) {}).ok());
}

}  // namespace
}  // namespace mproc::loop
