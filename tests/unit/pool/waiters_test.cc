// SPDX-License-Identifier: MIT
#include "pool/waiters.hh"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "platform/futex.hh"

namespace mproc::pool {
namespace {

TEST(Waiters, WakesOneWhoMayLead) {
  Waiters waiters;
  EXPECT_FALSE(waiters.WakeOne());
  Waiter follower, outsider;
  outsider.can_lead = false;
  waiters.Add(&outsider);
  EXPECT_TRUE(waiters.HasOthers());
  EXPECT_FALSE(waiters.WakeOne());
  waiters.Add(&follower);
  EXPECT_TRUE(waiters.WakeOne());
  EXPECT_EQ(follower.word.load(), 1U);
  EXPECT_EQ(outsider.word.load(), 0U);
  waiters.Remove(&follower);
  EXPECT_FALSE(waiters.WakeOne());
  waiters.Remove(&outsider);
  EXPECT_FALSE(waiters.HasOthers());
}

TEST(Waiters, WakesAll) {
  Waiters waiters;
  waiters.WakeAll();
  std::vector<Waiter> some(5);
  std::atomic<uint32_t> shared{0};
  for (size_t i = 0; i < some.size(); i++) {
    if (i >= 3) some[i].shared_word = &shared, some[i].can_lead = false;
    waiters.Add(&some[i]);
  }
  waiters.WakeAll();
  for (size_t i = 0; i < 3; i++) EXPECT_EQ(some[i].word.load(), 1U);
  EXPECT_EQ(shared.load(), 1U);
  EXPECT_EQ(some[4].word.load(), 0U);
  // Out of the middle, the end, the beginning.
  for (size_t i : {2, 0, 4, 1, 3}) waiters.Remove(&some[i]);
  EXPECT_FALSE(waiters.HasOthers());
  EXPECT_FALSE(waiters.WakeOne());
}

TEST(Waiters, LoseNobodyBetweenThreads) {
  Waiters waiters;
  std::atomic<int> value{0};
  std::atomic<int> awake{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; t++) {
    threads.emplace_back([&] {
      for (int wanted = 1; wanted <= 200; wanted++) {
        while (value.load() < wanted) {
          Waiter waiter;
          waiters.Add(&waiter);
          if (value.load() < wanted) platform::FutexWait(&waiter.word, 0, 10'000'000'000, false);
          waiters.Remove(&waiter);
        }
        awake++;
      }
    });
  }
  for (int next = 1; next <= 200; next++) {
    value.store(next);
    waiters.WakeAll();
    while (awake.load() < next * 4) std::this_thread::yield();
  }
  for (auto& thread : threads) thread.join();
}

}  // namespace
}  // namespace mproc::pool
