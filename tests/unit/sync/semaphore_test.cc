// SPDX-License-Identifier: MIT
#include "sync/semaphore.hh"

#include <gtest/gtest.h>

#include "peer.hh"

namespace mproc::sync {
namespace {

using namespace test;

const Deadline kNow = Deadline::After(0);
const Deadline kEver = Deadline::After(INT64_MAX);

TEST(Semaphore, CountsDownAndUp) {
  auto semaphore = std::move(*Semaphore::Create(2, 0));
  EXPECT_EQ(semaphore->Acquire(kNow), Wait::kDone);
  EXPECT_EQ(semaphore->Acquire(kNow), Wait::kDone);
  EXPECT_EQ(semaphore->Value(), 0U);
  EXPECT_EQ(semaphore->Acquire(kNow), Wait::kTimedOut);
  EXPECT_EQ(semaphore->Acquire(Deadline::After(5 * kMs)), Wait::kTimedOut);
  EXPECT_TRUE(semaphore->Release(4));  // no bound
  EXPECT_EQ(semaphore->Value(), 4U);
  EXPECT_FALSE(semaphore->Release(Semaphore::kMost - 3));
  EXPECT_TRUE(semaphore->Release(Semaphore::kMost - 4));
  EXPECT_EQ(semaphore->Acquire(kNow), Wait::kDone);
}

TEST(Semaphore, HasABound) {
  auto semaphore = std::move(*Semaphore::Create(2, 2));
  EXPECT_FALSE(semaphore->Release(1));
  EXPECT_EQ(semaphore->Acquire(kNow), Wait::kDone);
  EXPECT_FALSE(semaphore->Release(2));
  EXPECT_TRUE(semaphore->Release(1));
  EXPECT_EQ(semaphore->Value(), 2U);
}

TEST(Semaphore, LetsSoManyIn) {
  auto semaphore = std::move(*Semaphore::Create(3, 3));
  auto shared = MakeShared();
  auto peers = MakePeers(6, [&] {
    auto mine = Adopted<Semaphore>(semaphore->fd());
    for (int k = 0; k < 300; k++) {
      ASSERT_EQ(mine->Acquire(kEver), Wait::kDone);
      int64_t inside = ++shared->at[0], most = shared->at[1];
      while (inside > most && !shared->at[1].compare_exchange_weak(most, inside)) {
      }
      usleep(10);
      shared->at[0]--;
      ASSERT_TRUE(mine->Release(1));
    }
  });
  for (auto& peer : peers) EXPECT_TRUE(peer.EndsWell(60 * kSecond));
  EXPECT_EQ(shared->at[1], 3);
  EXPECT_EQ(semaphore->Value(), 3U);
}

// Of several that sleep each is woken once, by one call or by many.
TEST(Semaphore, WakesAsManyAsAreGiven) {
  auto semaphore = std::move(*Semaphore::Create(0, 0));
  auto peers =
      MakePeers(5, [&] { EXPECT_EQ(Adopted<Semaphore>(semaphore->fd())->Acquire(kEver), Wait::kDone); });
  for (auto& peer : peers) EXPECT_TRUE(peer.Sleeps());
  EXPECT_TRUE(semaphore->Release(3));
  EXPECT_TRUE(Soon([&] { return semaphore->Value() == 0; }));
  EXPECT_TRUE(semaphore->Release(1));
  EXPECT_TRUE(semaphore->Release(1));
  for (auto& peer : peers) EXPECT_TRUE(peer.EndsWell());
  EXPECT_EQ(semaphore->Value(), 0U);
}

TEST(Semaphore, GoesOnWhenOneIsKilledAsleep) {
  auto semaphore = std::move(*Semaphore::Create(0, 0));
  auto wait = [&] { EXPECT_EQ(Adopted<Semaphore>(semaphore->fd())->Acquire(kEver), Wait::kDone); };
  Peer first(wait), second(wait);
  EXPECT_TRUE(first.Sleeps() && second.Sleeps());
  first.Kill();
  EXPECT_TRUE(semaphore->Release(1));
  EXPECT_TRUE(second.EndsWell());
}

}  // namespace
}  // namespace mproc::sync
