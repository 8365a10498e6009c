// SPDX-License-Identifier: MIT
#include "ipc/log_ring.hh"

#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <thread>

namespace mproc::ipc {
namespace {

using Got = LogReader::Got;

class LogRing : public testing::Test {
 protected:
  bool Write(const std::string& text, uint64_t task = 1) {
    return writer_.Write({static_cast<uint32_t>(text.size()), 20, 5, task, 9}, text);
  }
  std::unique_ptr<LogMemory> memory_ = std::make_unique<LogMemory>();
  LogWriter writer_{memory_.get()};
  LogReader reader_{memory_.get()};
  LogRecord record_;
};

TEST_F(LogRing, GivesRecordsInOrder) {
  EXPECT_FALSE(reader_.any());
  EXPECT_EQ(reader_.Take(&record_), Got::kNothing);
  for (int i = 0; i < 5000; i++) {  // many times around
    std::string text(static_cast<size_t>(i % 97), static_cast<char>('a' + i % 26));
    ASSERT_TRUE(Write(text, static_cast<uint64_t>(i)));
    ASSERT_TRUE(reader_.any());
    ASSERT_EQ(reader_.Take(&record_), Got::kRecord);
    ASSERT_EQ(record_.text, text);
    ASSERT_EQ(record_.head.task, static_cast<uint64_t>(i));
    ASSERT_EQ(record_.head.level, 20);
    ASSERT_EQ(record_.head.position, 5U);
    ASSERT_EQ(record_.head.at, 9);
  }
  EXPECT_FALSE(reader_.any());
}

TEST_F(LogRing, HasNoRoomForMoreThanItHolds) {
  std::string text(1000, 'x');
  int count = 0;
  while (Write(text)) count++;
  EXPECT_EQ(count, static_cast<int>(kLogBytes / (1000 + sizeof(LogHead))));
  EXPECT_EQ(reader_.Take(&record_), Got::kRecord);
  EXPECT_TRUE(Write(text));
  EXPECT_FALSE(Write(text));
  writer_.CountDropped();
  EXPECT_EQ(reader_.TakeDropped(), 1U);
  EXPECT_EQ(reader_.TakeDropped(), 0U);
  EXPECT_TRUE(Write(std::string(16, 'y')));  // what is smaller may still fit
}

TEST_F(LogRing, IsReadWhileItIsWritten) {
  constexpr uint64_t kMany = 20'000;
  std::thread teller([&] {
    for (uint64_t i = 0; i < kMany; i++) {
      while (!Write(std::string(i % 300, 'z'), i)) std::this_thread::yield();
    }
  });
  for (uint64_t i = 0; i < kMany;) {
    Got got = reader_.Take(&record_);
    if (got == Got::kNothing) std::this_thread::yield();
    if (got == Got::kNothing) continue;
    ASSERT_EQ(got, Got::kRecord);
    ASSERT_EQ(record_.head.task, i);
    ASSERT_EQ(record_.text.size(), i % 300);
    i++;
  }
  teller.join();
}

TEST_F(LogRing, SeesNonsense) {
  auto said = [&](uint64_t written, uint32_t size) {
    LogHead head{size, 20, 0, 1, 0};
    std::memcpy(memory_->bytes, &head, sizeof head);
    memory_->written.store(written);
    return reader_.Take(&record_);
  };
  EXPECT_EQ(said(kLogBytes + 8, 8), Got::kNonsense);
  EXPECT_EQ(said(UINT64_MAX, 8), Got::kNonsense);
  EXPECT_EQ(said(8, 8), Got::kNonsense);
  EXPECT_EQ(said(sizeof(LogHead) + 8, 9), Got::kNonsense);
  EXPECT_EQ(said(kLogBytes, kLongestRecord + 1), Got::kNonsense);
  EXPECT_EQ(said(kLogBytes, UINT32_MAX), Got::kNonsense);
  EXPECT_EQ(said(sizeof(LogHead) + 8, 8), Got::kRecord);
}

// A worker whose reader has gone mad writes nothing.
TEST_F(LogRing, ANonsensicalReaderIsNotBelieved) {
  memory_->taken.store(1000);
  EXPECT_FALSE(Write("x"));
}

}  // namespace
}  // namespace mproc::ipc
