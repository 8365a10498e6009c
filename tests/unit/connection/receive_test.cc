// SPDX-License-Identifier: MIT
#include <sys/resource.h>

#include <thread>

#include "wire.hh"

namespace mproc::connection {
namespace {

using namespace test;
using ReceiveTest = WireTest;

const char kTimedOut[] = "MPROC_ERROR_TIMED_OUT", kEnd[] = "MPROC_ERROR_END_OF_FILE",
           kCutOff[] = "MPROC_ERROR_PROTOCOL", kBadLength[] = "MPROC_ERROR_BAD_LENGTH";

TEST_F(ReceiveTest, KeepsTheBordersOfMessages) {
  Wire wire;
  wire.Put(Short("one") + Short("") + Long("three") + Long("") + Short("five"));
  for (const char* wanted : {"one", "", "three", "", "five"}) EXPECT_EQ(Text(wire.connection), wanted);
  EXPECT_EQ(Text(wire.connection), kTimedOut);
  wire.peer.Reset();
  EXPECT_EQ(Text(wire.connection), kEnd);
  EXPECT_EQ(Text(wire.connection), kEnd);
}

TEST_F(ReceiveTest, TakesOneByteAtATime) {
  Wire wire;
  for (const std::string& frame : {Short("some text"), Long("some text")}) {
    for (size_t i = 0; i < frame.size(); i++) {
      EXPECT_EQ(Text(wire.connection), kTimedOut) << i;
      EXPECT_EQ(Text(wire.connection, In(1000)), kTimedOut) << i;
      wire.Put(frame.substr(i, 1));
    }
    EXPECT_EQ(Text(wire.connection), "some text");
  }
}

// The socket can be passed on between any two messages.
TEST_F(ReceiveTest, ReadsNothingBeyondTheMessage) {
  Wire wire;
  wire.Put(Short("first") + "rest");
  EXPECT_EQ(Text(wire.connection), "first");
  char rest[8] = {};
  EXPECT_EQ(recv(wire.connection->fd(), rest, sizeof rest, MSG_DONTWAIT), 4);
  EXPECT_STREQ(rest, "rest");
}

TEST_F(ReceiveTest, RefusesLengthsThatCannotBe) {
  const std::string headers[] = {Number(0xfffffffe, 4), Number(0x80000000, 4),
                                 Number(0xffffffff, 4) + Number(uint64_t{1} << 63, 8),
                                 Number(0xffffffff, 4) + Number(UINT64_MAX, 8)};
  for (const auto& header : headers) {
    Wire wire;
    wire.Put(header + "what follows is not looked at");
    EXPECT_EQ(Text(wire.connection), kBadLength);
    EXPECT_EQ(Text(wire.connection), kBadLength);
    EXPECT_EQ(wire.connection->Poll(kNow).code(), MPROC_ERROR_BAD_LENGTH);
    EXPECT_TRUE(wire.connection->Send(AsBytes("still"), kNow).ok());
    EXPECT_EQ(wire.Get(), Short("still"));
  }
}

TEST_F(ReceiveTest, RefusesWhatIsLongerThanTheLimit) {
  Wire wire;
  wire.connection->SetMost(5);
  wire.Put(Short("12345") + Long("12345") + Short("123456"));
  EXPECT_EQ(Text(wire.connection), "12345");
  EXPECT_EQ(Text(wire.connection), "12345");
  EXPECT_EQ(Text(wire.connection), kBadLength);
}

// A header that promises the largest length there is costs nothing.
TEST_F(ReceiveTest, MakesRoomOnlyForWhatComes) {
  if (kThreadSanitizer || kAddressSanitizer) GTEST_SKIP() << "the sanitizer needs its own address space";
  InChild([] {
    rlimit limit{512 << 20, 512 << 20};
    ASSERT_EQ(setrlimit(RLIMIT_AS, &limit), 0);
    Wire wire;
    wire.Put(Number(0xffffffff, 4) + Number(INT64_MAX, 8) + std::string(100000, 'x'));
    EXPECT_EQ(Text(wire.connection), kTimedOut);
    wire.peer.Reset();
    EXPECT_EQ(Text(wire.connection), kCutOff);
  });
}

TEST_F(ReceiveTest, TellsTheEndFromACut) {
  for (const std::string& frame : {Short("some text"), Long("some text")}) {
    for (size_t cut = 1; cut < frame.size(); cut++) {
      Wire wire;
      wire.Put(Short("whole") + frame.substr(0, cut));
      wire.peer.Reset();
      EXPECT_EQ(Text(wire.connection), "whole");
      EXPECT_TRUE(wire.connection->Poll(kNow).ok());
      EXPECT_EQ(Text(wire.connection), kCutOff) << cut;
      EXPECT_EQ(Text(wire.connection), kCutOff) << cut;
    }
  }
}

// One who ends with unread messages resets the connection; what it sent before still counts.
TEST_F(ReceiveTest, TakesTheEndOfOneWhoDidNotRead) {
  Wire wire;
  EXPECT_TRUE(wire.connection->Send(AsBytes("unread"), kNow).ok());
  wire.Put(Short("last words"));
  wire.peer.Reset();
  EXPECT_EQ(Text(wire.connection), "last words");
  EXPECT_EQ(Text(wire.connection), kEnd);
}

TEST_F(ReceiveTest, KeepsWhatDoesNotFit) {
  Wire wire;
  char room[16];
  size_t size = 0;
  wire.Put(Short("0123456789") + Short("next") + Short(""));
  EXPECT_EQ(wire.connection->ReceiveInto(room, 9, &size, kNow).code(), MPROC_ERROR_BUFFER_TOO_SMALL);
  EXPECT_EQ(size, 10u);
  EXPECT_TRUE(wire.connection->Poll(kNow).ok());
  EXPECT_EQ(wire.connection->ReceiveInto(nullptr, 0, &size, kNow).code(), MPROC_ERROR_BUFFER_TOO_SMALL);
  EXPECT_TRUE(wire.connection->ReceiveInto(room, 10, &size, kNow).ok());
  EXPECT_EQ(std::string(room, size), "0123456789");
  EXPECT_EQ(wire.connection->ReceiveInto(nullptr, 0, &size, kNow).code(), MPROC_ERROR_BUFFER_TOO_SMALL);
  EXPECT_EQ(Text(wire.connection), "next");
  EXPECT_TRUE(wire.connection->ReceiveInto(nullptr, 0, &size, kNow).ok());
  EXPECT_EQ(size, 0u);
  EXPECT_EQ(wire.connection->Poll(kNow).code(), MPROC_ERROR_TIMED_OUT);
}

TEST_F(ReceiveTest, PollsForMessagesAndTheEnd) {
  Wire wire;
  EXPECT_EQ(wire.connection->Poll(kNow).code(), MPROC_ERROR_TIMED_OUT);
  EXPECT_EQ(wire.connection->Poll(In(-5)).code(), MPROC_ERROR_TIMED_OUT);
  EXPECT_EQ(wire.connection->Poll(In(kMs)).code(), MPROC_ERROR_TIMED_OUT);
  wire.Put(Short(""));
  EXPECT_TRUE(wire.connection->Poll(kNow).ok());
  EXPECT_TRUE(wire.connection->Poll(kEver).ok());
  EXPECT_EQ(Text(wire.connection), "");
  EXPECT_EQ(wire.connection->Poll(kNow).code(), MPROC_ERROR_TIMED_OUT);
  wire.peer.Reset();
  EXPECT_TRUE(wire.connection->Poll(kNow).ok());
}

// What comes in one piece and what comes in many are the same.
TEST_F(ReceiveTest, TakesLargeMessages) {
  Wire wire;
  std::string large(3000000, '\0');
  for (size_t i = 0; i < large.size(); i++) large[i] = static_cast<char>(i * 7 + i / 1000);
  std::thread sender([&] {
    std::string frame = Short(large) + Short("end");
    for (size_t at = 0; at < frame.size();) {
      ssize_t n = send(wire.peer.get(), frame.data() + at, frame.size() - at, MSG_NOSIGNAL);
      if (n <= 0) break;
      at += static_cast<size_t>(n);
    }
  });
  EXPECT_EQ(Text(wire.connection, kEver), large);
  EXPECT_EQ(Text(wire.connection, kEver), "end");
  sender.join();
}

TEST_F(ReceiveTest, SignalsEndAWaitAndLoseNothing) {
  Wire wire;
  auto shared = MakeShared();
  wire.Put(Short("text").substr(0, 6));
  Passing passing(wire.connection);
  Peer peer([&] {
    auto mine = passing.Take();
    struct sigaction action {};
    action.sa_handler = [](int) {};
    sigaction(SIGUSR1, &action, nullptr);
    shared->at[0] = 1;
    EXPECT_EQ(Text(mine, kEver), "MPROC_ERROR_INTERRUPTED");
    shared->at[0] = 2;
    std::string text;
    while ((text = Text(mine, kEver)) == "MPROC_ERROR_INTERRUPTED") {
    }
    EXPECT_EQ(text, "text");
  });
  ASSERT_TRUE(Soon([&] { return shared->at[0] == 1; }));
  ASSERT_TRUE(Soon([&] {
    kill(peer.pid(), SIGUSR1);
    return shared->at[0] == 2;
  }));
  wire.Put("xt");
  EXPECT_TRUE(peer.EndsWell());
}

TEST_F(ReceiveTest, ThreadsTakeTurns) {
  Wire wire;
  constexpr int kMany = 300;
  std::atomic<int> good{0}, bad{0}, out{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; i++) {
    threads.emplace_back([&] {
      for (;;) {
        std::string text = Text(wire.connection, In(20 * kMs));
        if (text == kEnd) break;
        if (text == kTimedOut) {
          out++;
        } else {
          (text == std::string(text.size(), 'a') ? good : bad)++;
        }
      }
    });
  }
  ASSERT_TRUE(Soon([&] { return out >= 4; }));  // also while another one waits
  for (int i = 0; i < kMany; i++) {
    std::string frame = Short(std::string(static_cast<size_t>(i * 37 % 5000), 'a'));
    wire.Put(frame.substr(0, frame.size() / 2));
    wire.Put(frame.substr(frame.size() / 2));
  }
  wire.peer.Reset();
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(good, kMany);
  EXPECT_EQ(bad, 0);
}

}  // namespace
}  // namespace mproc::connection
