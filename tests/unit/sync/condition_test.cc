// SPDX-License-Identifier: MIT
#include "sync/condition.hh"

#include <gtest/gtest.h>

#include <thread>

#include "peer.hh"

namespace mproc::sync {
namespace {

using namespace test;

const Deadline kNow = Deadline::After(0);
const Deadline kEver = Deadline::After(INT64_MAX);

std::shared_ptr<Condition> Make() { return std::move(*Condition::Create(nullptr)); }
void Acquire(Condition& condition) {
  ASSERT_EQ(condition.lock().Acquire(condition.lock_options(), kEver), Acquired::kYes);
}
void Release(Condition& condition) {
  ASSERT_EQ(condition.lock().Release(condition.lock_options()), Released::kYes);
}
bool Notify(Condition& condition, uint32_t count) {
  Acquire(condition);
  bool notified = condition.Notify(count);
  Release(condition);
  return notified;
}

// Waits once; counts in shared[0] who is about to, in shared[1] who was notified.
void WaitOnce(int fd, Shared* shared) {
  auto mine = Adopted<Condition>(fd, std::shared_ptr<Lock>());
  Acquire(*mine);
  shared->at[0]++;
  EXPECT_EQ(mine->WaitForNotify(kEver), Waited::kNotified);
  shared->at[1]++;
  Release(*mine);
}
// True once `count` wait: they were about to, and have let the lock go.
bool AllWait(Condition& condition, Shared* shared, int64_t count) {
  bool all = Soon([&] { return shared->at[0] == count; });
  Acquire(condition);
  Release(condition);
  return all;
}

// So many that wait, one behind the other.
std::vector<Peer> WaitInARow(Condition& condition, Shared* shared, int64_t count) {
  std::vector<Peer> peers;
  peers.reserve(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; i++) {
    peers.emplace_back([&] { WaitOnce(condition.fd(), shared); });
    EXPECT_TRUE(AllWait(condition, shared, i + 1));
  }
  return peers;
}

TEST(Condition, NeedsTheLock) {
  auto condition = Make();
  EXPECT_EQ(condition->WaitForNotify(kNow), Waited::kNotHolder);
  EXPECT_FALSE(condition->Notify(1));
  EXPECT_TRUE(Notify(*condition, 1));  // nobody waits: nothing is stored
  Acquire(*condition);
  Acquire(*condition);
  EXPECT_EQ(condition->WaitForNotify(kNow), Waited::kTimedOut);
  EXPECT_EQ(condition->WaitForNotify(Deadline::After(5 * kMs)), Waited::kTimedOut);
  Release(*condition);
  Release(*condition);  // it has given back both levels
  EXPECT_EQ(condition->lock().Release(condition->lock_options()), Released::kWasFree);
}

TEST(Condition, NotifiesAsManyAsAsked) {
  auto condition = Make();
  auto shared = MakeShared();
  auto peers = MakePeers(5, [&] { WaitOnce(condition->fd(), shared.get()); });
  ASSERT_TRUE(AllWait(*condition, shared.get(), 5));
  EXPECT_TRUE(Notify(*condition, 2));
  EXPECT_TRUE(Soon([&] { return shared->at[1] == 2; }));
  EXPECT_TRUE(Notify(*condition, 1));
  EXPECT_TRUE(Soon([&] { return shared->at[1] == 3; }));
  EXPECT_TRUE(Notify(*condition, Condition::kMostWaiting));
  for (auto& peer : peers) EXPECT_TRUE(peer.EndsWell());
  EXPECT_EQ(shared->at[1], 5);
}

TEST(Condition, NotifiesWhoHasWaitedLongest) {
  auto condition = Make();
  auto shared = MakeShared();
  auto peers = WaitInARow(*condition, shared.get(), 4);
  for (auto& peer : peers) {
    EXPECT_TRUE(Notify(*condition, 1));
    EXPECT_TRUE(peer.EndsWell());
  }
}

TEST(Condition, WastesNothingOnTheDead) {
  auto condition = Make();
  auto shared = MakeShared();
  auto peers = WaitInARow(*condition, shared.get(), 4);
  for (int i = 0; i < 3; i++) peers[static_cast<size_t>(i)].Kill();
  EXPECT_TRUE(Notify(*condition, 1));
  EXPECT_TRUE(peers[3].EndsWell());
}

TEST(Condition, UsesTheLockThatItWasGiven) {
  auto lock = std::move(*Lock::Create({}));
  auto condition = std::move(*Condition::Create(lock));
  auto shared = MakeShared();
  Peer peer([&] {
    auto its_lock = Adopted<Lock>(lock->fd());
    auto mine = Adopted<Condition>(condition->fd(), its_lock);
    Acquire(*mine);
    shared->at[0]++;
    EXPECT_EQ(mine->WaitForNotify(kEver), Waited::kNotified);
    EXPECT_EQ(its_lock->memory().GetHolder().pid, static_cast<uint32_t>(getpid()));
    Release(*mine);
  });
  ASSERT_TRUE(AllWait(*condition, shared.get(), 1));
  EXPECT_EQ(lock->memory().GetHolder().tid, 0U);
  EXPECT_TRUE(Notify(*condition, 1));
  EXPECT_TRUE(peer.EndsWell());
  EXPECT_FALSE(Condition::Adopt(std::move(*platform::DuplicateFd(condition->fd())), nullptr).ok());
}

// One who gave up is not counted, and nobody is notified twice, whatever comes together.
TEST(Condition, CountsNobodyWhoGaveUp) {
  auto condition = Make();
  constexpr int kThreads = 4, kRounds = 200;
  std::atomic<int> notified{0}, timed_out{0};
  std::atomic<bool> enough{false};
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; i++) {
    threads.emplace_back([&, i] {
      for (int k = 0; k < kRounds; k++) {
        Acquire(*condition);
        Waited waited = condition->WaitForNotify(Deadline::After((i * 7 + k % 13) * 10'000));
        (waited == Waited::kNotified ? notified : timed_out)++;
        Release(*condition);
      }
    });
  }
  std::thread notifier([&] {
    while (!enough) Notify(*condition, 1);
  });
  for (auto& thread : threads) thread.join();
  enough = true;
  notifier.join();
  EXPECT_EQ(notified + timed_out, kThreads * kRounds);
  Acquire(*condition);
  EXPECT_EQ(condition->WaitForNotify(kNow), Waited::kTimedOut);
  Release(*condition);
}

}  // namespace
}  // namespace mproc::sync
