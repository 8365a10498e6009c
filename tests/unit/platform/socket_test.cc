// SPDX-License-Identifier: MIT
#include "platform/socket.hh"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "support/processes.hh"

namespace mproc::platform {
namespace {

class Sockets : public ::testing::Test {
 protected:
  void SetUp() override {
    auto ends = MakeSocketPair();
    ASSERT_TRUE(ends.ok());
    near = std::move(ends->first);
    far = std::move(ends->second);
  }
  Status Send(int socket, const std::string& text) { return SendMessage(socket, AsBytes(text), {}, false); }

  UniqueFd near, far;
  Message message;
};

TEST_F(Sockets, KeepMessagesApart) {
  const std::string longest(kMaxMessage, 'x');
  ASSERT_TRUE(Send(near.get(), "first").ok());
  ASSERT_TRUE(Send(near.get(), longest).ok());
  ASSERT_EQ(ReceiveMessage(far.get(), false, &message), Receive::kMessage);
  EXPECT_EQ(AsText(message.bytes), "first");
  ASSERT_EQ(ReceiveMessage(far.get(), false, &message), Receive::kMessage);
  EXPECT_EQ(AsText(message.bytes), longest);
  EXPECT_EQ(ReceiveMessage(far.get(), false, &message), Receive::kNothing);
}

TEST_F(Sockets, LastWordsAreHeard) {
  // Also of a peer that did not read what it was sent: the system then reports a reset first.
  for (bool unread : {false, true}) {
    SetUp();
    if (unread) {
      ASSERT_TRUE(Send(near.get(), "never read").ok());
    }
    ASSERT_TRUE(Send(far.get(), "one").ok());
    ASSERT_TRUE(Send(far.get(), "two").ok());
    far.Reset();
    ASSERT_EQ(ReceiveMessage(near.get(), false, &message), Receive::kMessage);
    EXPECT_EQ(AsText(message.bytes), "one");
    ASSERT_EQ(ReceiveMessage(near.get(), true, &message), Receive::kMessage);
    EXPECT_EQ(AsText(message.bytes), "two");
    EXPECT_EQ(ReceiveMessage(near.get(), false, &message), Receive::kEnd);
  }
}

TEST_F(Sockets, AFullOneSaysSo) {
  Status sent;
  int count = 0;
  for (; sent.ok() && count < 100000; count++) sent = Send(near.get(), std::string(1000, 'f'));
  EXPECT_EQ(sent.code(), MPROC_ERROR_QUEUE_FULL);
  ASSERT_EQ(ReceiveMessage(far.get(), false, &message), Receive::kMessage);
  far.Reset();
  EXPECT_FALSE(Send(near.get(), "nobody hears").ok());
}

// Who is not root may have no more descriptors under way than open: that passes, as a full socket does.
TEST_F(Sockets, TooManyDescriptorsUnderWayIsForNow) {
  test::InChild([&] {
    if (!test::BecomeAUserOfItsOwn()) {
      ASSERT_NE(geteuid(), 0U) << "root, and may not change that";
    }
    rlimit limit{64, 64};
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
    int fd = far.get();
    Status sent;
    int count = 0;
    for (; sent.ok() && count < 1000; count++) sent = SendMessage(near.get(), AsBytes("x"), {&fd, 1}, false);
    EXPECT_EQ(sent.code(), MPROC_ERROR_QUEUE_FULL) << sent.message();
    EXPECT_EQ(sent.os_code(), ETOOMANYREFS);
    EXPECT_LT(count, 100);
  });
}

}  // namespace
}  // namespace mproc::platform
