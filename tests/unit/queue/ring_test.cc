// SPDX-License-Identifier: MIT
// What a peer may have written into a queue's memory, one wrong word at a time.
#include "queue/ring.hh"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <iterator>

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
  is_bad(&State::capacity, std::bit_floor(kFileSize) * 2);
  is_bad(&State::head, 16008);  // more is read than written
  is_bad(&State::tail, 8008 + (1 << 20));
  is_bad(&State::reserved, (1 << 20) + 8);
  is_bad(&State::head, 8001);
  is_bad(&State::tail, 15999);
}

// Lets `change` spoil the state of a queue with one item in its memory.
template <typename Change>
void SpoilState(const Queue& queue, Change&& change) {
  uint64_t words[512];
  ASSERT_EQ(pread(queue.fd(), words, sizeof words, 0), static_cast<ssize_t>(sizeof words));
  using Words = std::array<uint64_t, sizeof(State) / sizeof(uint64_t)>;
  int found = 0;
  for (size_t i = 0; i + std::tuple_size_v<Words> <= std::size(words); i++) {
    Words copy;
    std::copy_n(words + i, copy.size(), copy.begin());
    auto state = std::bit_cast<State>(copy);
    if (state.capacity != kSmallestRing || state.tail != 24 || state.items != 1) continue;
    change(&state);
    ASSERT_EQ(pwrite(queue.fd(), &state, sizeof state, static_cast<off_t>(i * sizeof(uint64_t))),
              static_cast<ssize_t>(sizeof state));
    found++;
  }
  ASSERT_EQ(found, 1);
}

void ExpectFewPages(const Queue& queue) {
  struct stat info;
  ASSERT_EQ(fstat(queue.fd(), &info), 0);
  EXPECT_LT(info.st_blocks * 512, 1 << 20);
}

constexpr uint64_t kHuge = 1 << 30;

// An item that says it is enormous, in a ring that says so, too: to read it would make its pages.
TEST(Ring, ReadsNothingThatWasNotWritten) {
  auto queue = Make();
  ASSERT_TRUE(queue->Put(AsBytes("item", 4), {}, Deadline::After(0)).ok());
  SpoilState(*queue, [](State* state) {
    state->capacity = kHuge;
    state->tail = kHuge / 2;
  });
  uint64_t item[2];
  ASSERT_EQ(pread(queue->fd(), item, sizeof item, kRingBegin), static_cast<ssize_t>(sizeof item));
  item[0] = kHuge / 2 - sizeof item;
  ASSERT_EQ(pwrite(queue->fd(), item, sizeof item, kRingBegin), static_cast<ssize_t>(sizeof item));
  object::Message message;
  EXPECT_EQ(queue->Get(&message, Deadline::After(0)).code(), MPROC_ERROR_PROTOCOL);
  ExpectFewPages(*queue);
}

// A full ring that says it is enormous and that nearly all of it wraps round: to grow would copy it.
TEST(Ring, CopiesNothingThatWasNotWritten) {
  auto queue = Make();
  ASSERT_TRUE(queue->Put(AsBytes("item", 4), {}, Deadline::After(0)).ok());
  SpoilState(*queue, [](State* state) {
    state->capacity = state->reserved = kHuge;
    state->head = kHuge - 8;
    state->tail = state->head + kHuge;
  });
  EXPECT_EQ(queue->Put(AsBytes("more", 4), {}, Deadline::After(0)).code(), MPROC_ERROR_PROTOCOL);
  ExpectFewPages(*queue);
}

}  // namespace
}  // namespace mproc::queue
