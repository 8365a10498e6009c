// SPDX-License-Identifier: MIT
// What a peer may have written into a queue's memory, one wrong word at a time.
#include "queue/ring.hh"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "queue/queue.hh"

namespace mproc::queue {
namespace {

std::shared_ptr<Queue> Make() { return std::move(*Queue::Create({}, false)); }

TEST(Ring, TakesNoWrongState) {
  auto queue = Make();
  Ring ring(queue->fd());
  State good;
  good.capacity = good.reserved = 1 << 20;
  good.head = 8000;
  good.tail = 16000;
  good.items = 1;
  EXPECT_TRUE(ring.Check(good).ok());
  auto is_bad = [&](uint64_t State::*word, uint64_t value) {
    State state = good;
    state.*word = value;
    EXPECT_EQ(ring.Check(state).code(), MPROC_ERROR_PROTOCOL) << value;
  };
  is_bad(&State::capacity, 0);
  is_bad(&State::capacity, (1 << 20) + 8);
  is_bad(&State::capacity, kSmallestRing / 2);
  is_bad(&State::capacity, kFileSize);
  is_bad(&State::head, 16008);  // more is read than written
  is_bad(&State::tail, 8008 + (1 << 20));
  is_bad(&State::reserved, (1 << 20) + 8);
  is_bad(&State::head, 8001);
  is_bad(&State::tail, 15999);
}

// An item that says it is enormous, in a ring that says so, too: to read it would make its pages.
TEST(Ring, ReadsNothingThatWasNotWritten) {
  constexpr uint64_t kHuge = 1 << 30;
  auto queue = Make();
  ASSERT_TRUE(queue->Put(AsBytes("item", 4), {}, Deadline::After(0)).ok());
  uint64_t words[512], item[2];
  ASSERT_EQ(pread(queue->fd(), words, sizeof words, 0), static_cast<ssize_t>(sizeof words));
  ASSERT_EQ(pread(queue->fd(), item, sizeof item, kSmallestRing), static_cast<ssize_t>(sizeof item));
  for (size_t i = 0; i + 6 <= 512; i++) {
    auto* state = words + i;  // capacity, head, tail, items
    if (state[0] != kSmallestRing || state[2] != 24 || state[3] != 1) continue;
    state[0] = kHuge;
    state[2] = kHuge / 2;
    ASSERT_EQ(pwrite(queue->fd(), state, 32, i * 8), 32);
  }
  item[0] = kHuge / 2 - sizeof item;
  ASSERT_EQ(pwrite(queue->fd(), item, sizeof item, kHuge), static_cast<ssize_t>(sizeof item));
  object::Message message;
  Status got = queue->Get(&message, Deadline::After(0));
  EXPECT_EQ(got.code(), MPROC_ERROR_PROTOCOL);
  struct stat info;
  ASSERT_EQ(fstat(queue->fd(), &info), 0);
  EXPECT_LT(info.st_blocks * 512, 1 << 20);
}

}  // namespace
}  // namespace mproc::queue
