// SPDX-License-Identifier: MIT
#include "ipc/launcher_protocol.hh"

#include <gtest/gtest.h>
#include <string.h>

#include <random>

#include "platform/memory_file.hh"

namespace mproc::ipc {
namespace {

ProgramText Sample() {
  return {"/usr/bin/worker", {"worker", "", "--flag=x"}, {"PATH=/bin", "EMPTY=", "NO_EQUALS"}};
}

// What a receiver gets when these bytes and this many descriptors come.
platform::Message Arrived(ByteView bytes, int fds) {
  platform::Message message;
  message.bytes.assign(bytes.begin(), bytes.end());
  for (int i = 0; i < fds; i++) message.fds.push_back(std::move(*platform::OpenNull()));
  return message;
}

TEST(LauncherProtocol, CarriesAStartRequest) {
  StartFds fds{10, 11, -1, 13};
  auto message = EncodeStart(77, Sample(), 027, fds);
  ASSERT_TRUE(message.ok());
  EXPECT_EQ(FdsInOrder(*message, fds), (std::vector<int>{10, 11, 13}));
  platform::Message arrived = Arrived(message->bytes, 3);
  int numbers[] = {arrived.fds[0].get(), arrived.fds[1].get(), arrived.fds[2].get()};
  auto received = DecodeControl(&arrived);
  ASSERT_TRUE(received);
  EXPECT_EQ(received->head.child, 77U);
  EXPECT_TRUE(received->head.present & kPartUmask);
  EXPECT_EQ(received->head.first, 027);
  EXPECT_EQ(received->directory.get(), numbers[0]);
  EXPECT_EQ(received->output.get(), numbers[1]);
  EXPECT_FALSE(received->error.valid());
  EXPECT_EQ(received->channel.get(), numbers[2]);
  auto text = DecodeText(received->body);
  ASSERT_TRUE(text);
  EXPECT_EQ(text->program, Sample().program);
  EXPECT_EQ(text->arguments, Sample().arguments);
  EXPECT_EQ(text->environment, Sample().environment);
}

TEST(LauncherProtocol, CarriesARequestToATemplate) {
  StartFds fds{10, -1, 12, 13};
  auto asked = EncodeStart(5, Sample(), std::nullopt, fds, true);
  ASSERT_TRUE(asked.ok());
  EXPECT_TRUE(PeekHead(asked->bytes)->present & kPartFork);
  ControlMessage message = EncodeFork(5, 077, fds);
  EXPECT_EQ(FdsInOrder(message, fds), (std::vector<int>{10, 12, 13}));
  platform::Message arrived = Arrived(message.bytes, 3);
  auto received = DecodeControl(&arrived);
  ASSERT_TRUE(received);
  EXPECT_EQ(received->head.child, 5U);
  EXPECT_EQ(received->head.first, 077);
  EXPECT_TRUE(received->body.empty());
  EXPECT_TRUE(received->directory.valid() && received->error.valid() && received->channel.valid());
  EXPECT_FALSE(received->output.valid());
}

TEST(LauncherProtocol, PutsLongTextsIntoAFile) {
  ProgramText text = Sample();
  text.environment.push_back("LONG=" + std::string(500000, 'x'));
  StartFds fds{-1, -1, -1, 3};
  auto message = EncodeStart(1, text, std::nullopt, fds);
  ASSERT_TRUE(message.ok());
  EXPECT_EQ(message->bytes.size(), sizeof(ControlHead));
  ASSERT_TRUE(message->body.valid());
  EXPECT_EQ(FdsInOrder(*message, fds), (std::vector<int>{message->body.get(), 3}));
  auto head = PeekHead(message->bytes);
  auto bytes = platform::ReadMemoryFile(message->body.get(), head->body_size);
  ASSERT_TRUE(bytes.ok());
  auto back = DecodeText(*bytes);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->environment, text.environment);
  EXPECT_FALSE(platform::ReadMemoryFile(message->body.get(), head->body_size + 1).ok());
}

TEST(LauncherProtocol, RefusesWhatCannotBeCarried) {
  ProgramText text = Sample();
  text.arguments.push_back(std::string("a\0b", 3));
  EXPECT_EQ(EncodeStart(1, text, 0, {}).status().code(), MPROC_ERROR_INVALID_ARGUMENT);
  text = Sample();
  text.environment.push_back(std::string(kMaxBody, 'x'));
  EXPECT_EQ(EncodeStart(1, text, 0, {}).status().code(), MPROC_ERROR_TOO_LARGE);
}

TEST(LauncherProtocol, CarriesReplies) {
  ControlHead head = MakeHead(ControlType::kExited, 5);
  head.first = 1234;
  head.code = 255;
  head.signal = 9;
  platform::Message arrived = Arrived(EncodeHead(head), 0);
  auto received = DecodeControl(&arrived);
  ASSERT_TRUE(received);
  EXPECT_EQ(received->head.first, 1234);
  EXPECT_EQ(received->head.code, 255);
  EXPECT_EQ(received->head.signal, 9);
}

TEST(LauncherProtocol, AStartedReplyMayHaveLostItsPidfd) {
  ControlHead head = MakeHead(ControlType::kStarted, 5);
  head.present = kPartProcess;
  platform::Message arrived = Arrived(EncodeHead(head), 0);
  arrived.fds_lost = true;
  auto received = DecodeControl(&arrived);
  ASSERT_TRUE(received);
  EXPECT_FALSE(received->process.valid());
}

TEST(LauncherProtocol, AStartRequestMustHaveAllItsDescriptors) {
  auto message = EncodeStart(1, Sample(), 0, {10, 11, 12, 13});
  ASSERT_TRUE(message.ok());
  for (int count = 0; count < 8; count++) {
    platform::Message arrived = Arrived(message->bytes, count);
    EXPECT_EQ(DecodeControl(&arrived).has_value(), count == 4) << count;
  }
  platform::Message arrived = Arrived(message->bytes, 4);
  arrived.fds_lost = true;
  EXPECT_FALSE(DecodeControl(&arrived));
}

TEST(LauncherProtocol, NoticesAnotherVersion) {
  auto bytes = EncodeHead(MakeHead(ControlType::kFinish, 0));
  bytes[0] = std::byte{kControlVersion + 1};
  platform::Message arrived = Arrived(bytes, 0);
  EXPECT_FALSE(DecodeControl(&arrived));
  EXPECT_TRUE(PeekHead(bytes));
}

TEST(LauncherProtocol, EveryTruncationIsRefused) {
  auto message = EncodeStart(1, Sample(), 0, {});
  ASSERT_TRUE(message.ok());
  for (size_t size = 0; size < message->bytes.size(); size++) {
    platform::Message arrived = Arrived(ByteView(message->bytes).first(size), 0);
    EXPECT_FALSE(DecodeControl(&arrived)) << size;
  }
  auto text = EncodeText(Sample());
  ASSERT_TRUE(text.ok());
  for (size_t size = 0; size < text->size(); size++) EXPECT_FALSE(DecodeText(ByteView(*text).first(size)));
  text->push_back(std::byte{0});
  EXPECT_FALSE(DecodeText(*text));  // nor may anything follow
}

TEST(LauncherProtocol, SurvivesScribbledBytes) {
  std::mt19937 random(20260801);
  auto message = EncodeStart(1, Sample(), 0, {});
  ASSERT_TRUE(message.ok());
  int accepted = 0;
  for (int round = 0; round < 20000; round++) {
    auto bytes = message->bytes;
    for (unsigned change = random() % 4 + 1; change > 0; change--) {
      bytes[random() % bytes.size()] = static_cast<std::byte>(random());
    }
    bytes.resize(bytes.size() - random() % 3);
    platform::Message arrived;
    arrived.bytes = std::move(bytes);
    auto received = DecodeControl(&arrived);
    if (!received) continue;
    auto text = DecodeText(received->body);
    if (!text) continue;
    accepted++;
    size_t size = text->program.size() + 1 + 2 * sizeof(uint32_t);
    for (auto& s : text->arguments) size += s.size() + 1;
    for (auto& s : text->environment) size += s.size() + 1;
    EXPECT_EQ(size, received->body.size());
  }
  EXPECT_GT(accepted, 0);
}

TEST(LauncherProtocol, CountsAreBelievedOnlyIfTheyFit) {
  std::vector<std::byte> bytes(64);
  uint32_t huge = UINT32_MAX;
  memcpy(bytes.data(), &huge, sizeof huge);
  EXPECT_FALSE(DecodeText(bytes));
  memcpy(bytes.data() + 4, &huge, sizeof huge);
  EXPECT_FALSE(DecodeText(bytes));
}

}  // namespace
}  // namespace mproc::ipc
