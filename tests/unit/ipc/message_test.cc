// SPDX-License-Identifier: MIT
#include "ipc/message.hh"

#include <errno.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <random>
#include <string>
#include <thread>

namespace mproc::ipc {
namespace {

MessageHead Head(uint64_t size) { return {static_cast<uint32_t>(MessageType::kHello), 9, size}; }

struct Ends {
  Ends() {
    auto made = platform::MakeSocketPair();
    EXPECT_TRUE(made.ok());
    first = std::move(made->first);
    second = std::move(made->second);
  }
  platform::UniqueFd first, second;
};

TEST(Message, CarriesHeadBodyAndDescriptors) {
  Ends ends;
  auto null = platform::OpenNull();
  int fds[] = {null->get(), null->get()};
  ASSERT_TRUE(SendFrame(ends.first.get(), {5, 77, uint64_t{1} << 40}, AsBytes("body"), fds, false).ok());
  platform::Message message;
  ASSERT_EQ(platform::ReceiveMessage(ends.second.get(), false, &message), platform::Receive::kMessage);
  auto head = HeadOf(message);
  ASSERT_TRUE(head);
  EXPECT_EQ(head->type, 5U);
  EXPECT_EQ(head->number, 77U);
  EXPECT_EQ(head->size, uint64_t{1} << 40);
  EXPECT_EQ(AsText(BodyOf(message)), "body");
  EXPECT_EQ(message.fds.size(), 2U);
  EXPECT_FALSE(message.fds_lost);
}

TEST(Message, TooShortForAHeadHasNone) {
  Ends ends;
  platform::Message message;
  for (size_t size = 1; size < sizeof(MessageHead) + 2; size++) {
    std::string bytes(size, 'x');
    ASSERT_EQ(send(ends.first.get(), bytes.data(), size, 0), static_cast<ssize_t>(size));
    ASSERT_EQ(platform::ReceiveMessage(ends.second.get(), false, &message), platform::Receive::kMessage);
    EXPECT_EQ(HeadOf(message).has_value(), size >= sizeof(MessageHead));
  }
}

TEST(Message, AClosedPeerIsAnErrorAndNoSignal) {
  Ends ends;
  ends.second.Reset();
  Status sent = SendFrame(ends.first.get(), Head(0), {}, {}, true);
  EXPECT_EQ(sent.code(), MPROC_ERROR_SYSTEM);
  EXPECT_EQ(sent.os_code(), EPIPE);
  platform::Message message;
  EXPECT_EQ(platform::ReceiveMessage(ends.first.get(), true, &message), platform::Receive::kEnd);
}

TEST(Message, AFullSocketIsNotWaitedForUnlessAsked) {
  Ends ends;
  Status sent;
  int count = 0;
  while (sent.ok() && count++ < 100000) sent = SendFrame(ends.first.get(), Head(0), {}, {}, false);
  EXPECT_EQ(sent.code(), MPROC_ERROR_QUEUE_FULL);
}

TEST(LongBody, GathersTheParts) {
  for (size_t size : {size_t{0}, size_t{1}, platform::kMaxMessage - sizeof(MessageHead),
                      platform::kMaxMessage - sizeof(MessageHead) + 1, size_t{300000}}) {
    Ends ends;
    std::string body(size, 'b');
    for (size_t i = 0; i < size; i++) body[i] = static_cast<char>(i * 7);
    std::thread sender([&] {
      EXPECT_TRUE(SendLong(ends.first.get(), Head(0), AsBytes(body), {}, MessageType::kHelloPart).ok());
    });
    LongBody gathered(1 << 20);
    platform::Message message;
    while (!gathered.complete()) {
      ASSERT_EQ(platform::ReceiveMessage(ends.second.get(), true, &message), platform::Receive::kMessage);
      auto head = HeadOf(message);
      ASSERT_TRUE(head);
      EXPECT_EQ(head->number, 9U);
      ASSERT_TRUE(gathered.Add(*head, BodyOf(message)));
    }
    sender.join();
    EXPECT_EQ(AsText(gathered.bytes()), body);
  }
}

TEST(LongBody, TakesNoMoreThanItsLimit) {
  std::vector<std::byte> part(100);
  LongBody small(1000);
  EXPECT_FALSE(small.Add(Head(1001), part));
  LongBody huge(1000);
  EXPECT_FALSE(huge.Add(Head(UINT64_MAX), part));
  EXPECT_TRUE(huge.bytes().empty());
}

TEST(LongBody, TakesNoMoreThanWasAnnounced) {
  std::vector<std::byte> part(100);
  LongBody body(1000);
  EXPECT_TRUE(body.Add(Head(250), part));
  EXPECT_FALSE(body.complete());
  EXPECT_TRUE(body.Add(Head(250), part));
  EXPECT_FALSE(body.Add(Head(250), part));  // 300
  LongBody other(1000);
  EXPECT_TRUE(other.Add(Head(250), part));
  EXPECT_FALSE(other.Add(Head(260), part));  // another size than at first
  LongBody empty(1000);
  EXPECT_FALSE(empty.Add(Head(0), part));
}

TEST(LongBody, OfNothingIsCompleteAtOnce) {
  LongBody body(1000);
  EXPECT_FALSE(body.complete());
  EXPECT_TRUE(body.Add(Head(0), {}));
  EXPECT_TRUE(body.complete());
}

TEST(LongBody, SurvivesNoise) {
  std::mt19937_64 random(2);
  for (int round = 0; round < 2000; round++) {
    LongBody body(5000);
    for (int i = 0; i < 50; i++) {
      std::vector<std::byte> part(random() % 300);
      uint64_t size = random() % 3 ? random() % 6000 : random();
      if (!body.Add(Head(size), part)) break;
      ASSERT_LE(body.bytes().size(), 5000U);
    }
  }
}

}  // namespace
}  // namespace mproc::ipc
