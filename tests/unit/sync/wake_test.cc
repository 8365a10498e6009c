// SPDX-License-Identifier: MIT
// Whoever waits for an object is woken (turns.hh).
#include <gtest/gtest.h>

#include "sync/barrier.hh"
#include "sync/condition.hh"
#include "sync/event.hh"
#include "sync/lock.hh"
#include "sync/semaphore.hh"
#include "turns.hh"

namespace mproc::sync {
namespace {

using namespace test;

TEST(Wake, BySemaphores) {
  auto first = std::move(*Semaphore::Create(0, 0)), second = std::move(*Semaphore::Create(0, 0));
  auto side = [](Semaphore& gives, Semaphore& takes) {
    for (int i = 0; i < kRounds; i++) {
      EXPECT_TRUE(gives.Release(1));
      EXPECT_EQ(takes.Acquire(kEver), Wait::kDone);
    }
  };
  TakeTurns([&](Peer&) { side(*first, *second); },
            [&] { side(*Adopted<Semaphore>(second->fd()), *Adopted<Semaphore>(first->fd())); });
}

TEST(Wake, ByEvents) {
  auto ping = std::move(*Event::Create()), pong = std::move(*Event::Create());
  auto awaits = [](Event& event) {
    EXPECT_EQ(event.WaitUntilSet(kEver), Wait::kDone);
    event.Clear();
  };
  TakeTurns(
      [&](Peer&) {
        for (int i = 0; i < kRounds; i++) ping->Set(), awaits(*pong);
      },
      [&] {
        auto mine = Adopted<Event>(ping->fd()), other = Adopted<Event>(pong->fd());
        for (int i = 0; i < kRounds; i++) awaits(*mine), other->Set();
      });
}

// A plain lock may be released by the other side: so each acquires what the other one lets go, and this one
// only when the other one has rested enough and sleeps.
TEST(Wake, ByLocks) {
  auto ping = std::move(*Lock::Create({})), pong = std::move(*Lock::Create({}));
  auto acquire = [](Lock& lock) { EXPECT_EQ(lock.memory().Acquire({}, kEver), Acquired::kYes); };
  auto release = [](Lock& lock) { EXPECT_EQ(lock.memory().Release({}), Released::kYes); };
  acquire(*ping);
  acquire(*pong);
  TakeTurns(
      [&](Peer& peer) {
        for (int i = 0; i < kRounds; i++) {
          EXPECT_TRUE(peer.Sleeps());
          release(*ping);
          acquire(*pong);
        }
      },
      [&] {
        auto mine = Adopted<Lock>(ping->fd()), other = Adopted<Lock>(pong->fd());
        for (int i = 0; i < kRounds; i++) acquire(*mine), release(*other);
      });
}

TEST(Wake, ByConditions) {
  auto condition = std::move(*Condition::Create(nullptr));
  auto turn = MakeShared();
  auto side = [&](Condition& mine, int64_t own) {
    for (int i = 0; i < kRounds; i++) {
      ASSERT_EQ(mine.lock().Acquire(mine.lock_options(), kEver), Acquired::kYes);
      while (turn->at[0] % 2 != own) ASSERT_EQ(mine.WaitForNotify(kEver), Waited::kNotified);
      turn->at[0]++;
      EXPECT_TRUE(mine.Notify(1));
      ASSERT_EQ(mine.lock().Release(mine.lock_options()), Released::kYes);
    }
  };
  TakeTurns([&](Peer&) { side(*condition, 0); },
            [&] { side(*Adopted<Condition>(condition->fd(), std::shared_ptr<Lock>()), 1); });
}

TEST(Wake, ByBarriers) {
  auto barrier = std::move(*Barrier::Create(2));
  auto side = [](Barrier& mine) {
    for (int i = 0; i < kRounds; i++) {
      uint32_t index = 0;
      EXPECT_EQ(mine.Meet(kEver, {}, &index), Met::kAll);
    }
  };
  TakeTurns([&](Peer&) { side(*barrier); }, [&] { side(*Adopted<Barrier>(barrier->fd())); });
}

}  // namespace
}  // namespace mproc::sync
