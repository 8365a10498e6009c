// SPDX-License-Identifier: MIT
#include <thread>

#include "wire.hh"

namespace mproc::connection {
namespace {

using namespace test;
using SendTest = WireTest;

// Sends small messages until there is no more room.
int FillUp(Connection* connection, size_t size) {
  std::string message(size, 'f');
  int sent = 0;
  while (connection->Send(AsBytes(message), kNow).ok()) sent++;
  return sent;
}

TEST_F(SendTest, PutsTheLengthBefore) {
  Wire wire;
  for (size_t size : {0, 1, 16384, 16385, 100000}) {
    std::string body(size, 's');
    EXPECT_TRUE(wire.connection->Send(AsBytes(body), kNow).ok());
    EXPECT_EQ(wire.Get(), Short(body)) << size;
  }
}

TEST_F(SendTest, TakesTheLongFormAbove31Bits) {
  FrameHeader header = MakeHeader(0x7fffffff);
  EXPECT_EQ(AsText(header.view()), Number(0x7fffffff, 4));
  header = MakeHeader(0x80000000);
  EXPECT_EQ(AsText(header.view()), Number(0xffffffff, 4) + Number(0x80000000, 8));
}

TEST_F(SendTest, SendsNothingIfThereIsNoRoom) {
  Wire wire;
  int sent = FillUp(wire.connection.get(), 1000);
  EXPECT_GT(sent, 10);
  EXPECT_LT(sent, 1000);
  EXPECT_EQ(wire.connection->Send(AsBytes("more"), In(kMs)).code(), MPROC_ERROR_TIMED_OUT);
  std::string got;
  for (std::string part; !(part = wire.Get()).empty();) got += part;
  EXPECT_EQ(got.size(), static_cast<size_t>(sent) * 1004);
  EXPECT_TRUE(wire.connection->Send(AsBytes("more"), kNow).ok());
  EXPECT_EQ(wire.Get(), Short("more"));
}

// Who asks in vain in the middle of a message ends that direction, and the other side is told.
TEST_F(SendTest, EndsWhenGivenUpInTheMiddle) {
  for (int64_t limit : {int64_t{0}, 2 * kMs}) {
    Wire wire;
    auto other = std::move(*Connection::Adopt(std::move(wire.peer)));
    EXPECT_EQ(wire.connection->Send(AsBytes(std::string(2000000, 'x')), In(limit)).code(),
              MPROC_ERROR_TIMED_OUT);
    Status next = wire.connection->Send(AsBytes("x"), kNow);
    EXPECT_EQ(next.code(), MPROC_ERROR_BROKEN_PIPE);
    EXPECT_NE(next.message().find("earlier"), std::string::npos);
    EXPECT_EQ(Text(other, kEver), "MPROC_ERROR_PROTOCOL");
    EXPECT_TRUE(other->Send(AsBytes("back"), kNow).ok());
    EXPECT_EQ(Text(wire.connection), "back");
  }
}

TEST_F(SendTest, FailsWhenNobodyReads) {
  Wire wire;
  wire.peer.Reset();
  EXPECT_EQ(wire.connection->Send(AsBytes("x"), kNow).code(), MPROC_ERROR_BROKEN_PIPE);
  Wire waiting;
  FillUp(waiting.connection.get(), 1000);
  std::thread closer([&] { waiting.peer.Reset(); });
  EXPECT_EQ(waiting.connection->Send(AsBytes("x"), kEver).code(), MPROC_ERROR_BROKEN_PIPE);
  closer.join();
}

TEST_F(SendTest, FailsWhenTheReaderIsKilledInTheMiddle) {
  auto ends = std::move(*Connection::MakePipe(true));
  Passing passing(ends.second);
  Peer reader([&] {
    char byte;
    EXPECT_EQ(recv(passing.fd.get(), &byte, 1, 0), 1);
    for (;;) pause();
  });
  passing.fd.Reset();
  ends.second.reset();
  std::thread killer([&] {
    EXPECT_TRUE(reader.Sleeps());
    reader.Kill();
  });
  EXPECT_EQ(ends.first->Send(AsBytes(std::string(5000000, 'x')), kEver).code(), MPROC_ERROR_BROKEN_PIPE);
  killer.join();
}

TEST_F(SendTest, AReceiverSeesTheSenderKilledInTheMiddle) {
  auto ends = std::move(*Connection::MakePipe(true));
  Passing passing(ends.second);
  Peer sender([&] { (void)passing.Take()->Send(AsBytes(std::string(5000000, 'x')), kEver); });
  passing.fd.Reset();
  ends.second.reset();
  EXPECT_TRUE(ends.first->Poll(kEver).ok());
  EXPECT_TRUE(sender.Sleeps());
  sender.Kill();
  EXPECT_EQ(Text(ends.first, kEver), "MPROC_ERROR_PROTOCOL");
}

TEST_F(SendTest, ThreadsDoNotMixTheirMessages) {
  auto ends = std::move(*Connection::MakePipe(true));
  std::vector<std::thread> threads;
  for (char letter : {'a', 'b', 'c', 'd'}) {
    threads.emplace_back([&, letter] {
      for (size_t i = 0; i < 100; i++) {
        std::string body(i * 997 % 60000, letter);
        EXPECT_TRUE(ends.second->Send(AsBytes(body), kEver).ok());
      }
    });
  }
  for (int i = 0; i < 400; i++) {
    std::string text = Text(ends.first, kEver);
    EXPECT_EQ(text, std::string(text.size(), text.empty() ? 'a' : text[0]));
  }
  for (auto& thread : threads) thread.join();
}

// Who waits to receive does not keep others from sending.
TEST_F(SendTest, GoesOnWhileAnotherReceives) {
  auto ends = std::move(*Connection::MakePipe(true));
  std::atomic<bool> got{false};
  std::thread receiver([&] {
    EXPECT_EQ(Text(ends.first, kEver), "answer");
    got = true;
  });
  for (int i = 0; i < 100; i++) {
    EXPECT_TRUE(ends.first->Send(AsBytes("question"), kEver).ok());
    EXPECT_EQ(Text(ends.second, kEver), "question");
  }
  EXPECT_FALSE(got);
  EXPECT_TRUE(ends.second->Send(AsBytes("answer"), kEver).ok());
  receiver.join();
}

}  // namespace
}  // namespace mproc::connection
