// SPDX-License-Identifier: MIT
#include "sync/lock.hh"

#include <gtest/gtest.h>

#include <thread>

#include "peer.hh"
#include "platform/file_region.hh"
#include "sync/event.hh"

namespace mproc::sync {
namespace {

using namespace test;

const Deadline kNow = Deadline::After(0);
const Deadline kEver = Deadline::After(INT64_MAX);

std::shared_ptr<Lock> Make(LockOptions options = {}) { return std::move(*Lock::Create(options)); }
Acquired Acquire(Lock& lock, const Deadline& deadline = kEver) {
  return lock.memory().Acquire(lock.options(), deadline);
}
Released Release(Lock& lock) { return lock.memory().Release(lock.options()); }

TEST(Lock, IsHeldByOne) {
  auto lock = Make();
  EXPECT_EQ(Acquire(*lock), Acquired::kYes);
  EXPECT_EQ(Acquire(*lock, kNow), Acquired::kTimedOut);
  EXPECT_EQ(Acquire(*lock, Deadline::After(5 * kMs)), Acquired::kTimedOut);
  EXPECT_EQ(Release(*lock), Released::kYes);
  EXPECT_EQ(Release(*lock), Released::kWasFree);
  EXPECT_EQ(Acquire(*lock, kNow), Acquired::kYes);
}

TEST(Lock, TellsWhoHasItSinceWhen) {
  auto lock = Make();
  EXPECT_EQ(lock->memory().GetHolder().tid, 0U);
  int64_t before = NowNs();
  EXPECT_EQ(Acquire(*lock), Acquired::kYes);
  Holder holder = lock->memory().GetHolder();
  EXPECT_EQ(holder.pid, static_cast<uint32_t>(getpid()));
  EXPECT_EQ(holder.tid, static_cast<uint32_t>(gettid()));
  EXPECT_GT(holder.since, before - 100 * kMs);
  EXPECT_LE(holder.since, NowNs());
  EXPECT_EQ(Release(*lock), Released::kYes);
  EXPECT_EQ(lock->memory().GetHolder().tid, 0U);
}

TEST(Lock, MayBeReleasedByAnybody) {
  auto lock = Make();
  EXPECT_EQ(Acquire(*lock), Acquired::kYes);
  Peer peer([&] { EXPECT_EQ(Release(*Adopted<Lock>(lock->fd())), Released::kYes); });
  EXPECT_TRUE(peer.EndsWell());
  EXPECT_EQ(Acquire(*lock, kNow), Acquired::kYes);
}

TEST(Lock, KeepsOthersOut) {
  auto lock = Make();
  auto shared = MakeShared();
  auto peers = MakePeers(4, [&] {
    auto mine = Adopted<Lock>(lock->fd());
    for (int k = 0; k < 3000; k++) {
      ASSERT_EQ(Acquire(*mine), Acquired::kYes);
      int64_t seen = shared->at[0].load(std::memory_order_relaxed);
      if (k % 64 == 0) usleep(1);
      shared->at[0].store(seen + 1, std::memory_order_relaxed);
      ASSERT_EQ(Release(*mine), Released::kYes);
    }
  });
  for (auto& peer : peers) EXPECT_TRUE(peer.EndsWell(60 * kSecond));
  EXPECT_EQ(shared->at[0], 4 * 3000);
}

TEST(Lock, StaysWithADeadHolder) {
  auto lock = Make();
  Peer peer([&] { Acquire(*Adopted<Lock>(lock->fd())); });
  const auto pid = static_cast<uint32_t>(peer.pid());
  EXPECT_TRUE(peer.EndsWell());
  EXPECT_EQ(Acquire(*lock, Deadline::After(2 * kSlice)), Acquired::kTimedOut);
  EXPECT_EQ(lock->memory().GetHolder().pid, pid);  // so somebody can do something about it
  EXPECT_EQ(Release(*lock), Released::kYes);
  EXPECT_EQ(Acquire(*lock, kNow), Acquired::kYes);
}

TEST(RecursiveLock, CountsAndIsItsHolders) {
  auto lock = Make({.recursive = true});
  for (int i = 0; i < 3; i++) EXPECT_EQ(Acquire(*lock, kNow), Acquired::kYes);
  std::thread other([&] {
    EXPECT_EQ(Acquire(*lock, kNow), Acquired::kTimedOut);
    EXPECT_EQ(Release(*lock), Released::kNotHolder);
  });
  other.join();
  for (int i = 0; i < 3; i++) EXPECT_EQ(Release(*lock), Released::kYes);
  EXPECT_EQ(Release(*lock), Released::kWasFree);
  std::thread next([&] { EXPECT_EQ(Acquire(*lock, kNow), Acquired::kYes); });
  next.join();
  EXPECT_EQ(Acquire(*lock, kNow), Acquired::kTimedOut);
}

TEST(RobustLock, GoesToTheNextWhenItsHolderDies) {
  for (bool recursive : {false, true}) {
    auto lock = Make({.recursive = recursive, .robust = true});
    auto shared = MakeShared();
    Peer holder([&] {
      auto mine = Adopted<Lock>(lock->fd());
      Acquire(*mine);
      shared->at[0] = 1;
      pause();
    });
    ASSERT_TRUE(Soon([&] { return shared->at[0] == 1; }));
    EXPECT_EQ(Release(*lock), Released::kNotHolder);
    EXPECT_EQ(Acquire(*lock, kNow), Acquired::kTimedOut);
    Peer waiter([&] {
      auto mine = Adopted<Lock>(lock->fd());
      EXPECT_EQ(Acquire(*mine), Acquired::kOwnerDied);
      EXPECT_EQ(Release(*mine), Released::kYes);
    });
    EXPECT_TRUE(waiter.Sleeps());
    holder.Kill();
    EXPECT_TRUE(waiter.EndsWell());
    EXPECT_EQ(Acquire(*lock, kNow), Acquired::kYes);  // told once
  }
}

TEST(RobustLock, IsTakenAtOnceFromOneWhoIsDead) {
  auto lock = Make({.robust = true});
  std::thread([&] { EXPECT_EQ(Acquire(*lock), Acquired::kYes); }).join();
  EXPECT_EQ(Acquire(*lock, kNow), Acquired::kOwnerDied);
  EXPECT_EQ(Release(*lock), Released::kYes);
}

TEST(RobustLock, IsTakenFromAZombie) {
  auto lock = Make({.robust = true});
  Peer peer([&] { Acquire(*Adopted<Lock>(lock->fd())); });
  ASSERT_TRUE(Soon([&] { return StateOf(peer.pid()) == 'Z'; }));
  EXPECT_EQ(Acquire(*lock, kNow), Acquired::kOwnerDied);
}

// The holder is dead, and its number is this thread's now.
TEST(RobustLock, IsNotMineByItsHoldersNumberAlone) {
  for (bool robust : {false, true}) {
    auto lock = Make({.recursive = true, .robust = robust});
    auto memory = platform::MappedRegion::Map(lock->fd(), 0, 4096);
    ASSERT_TRUE(memory.ok());
    EXPECT_EQ(Acquire(*lock, kNow), Acquired::kYes);
    auto* words = reinterpret_cast<uint32_t*>(memory->data() + sizeof(object::ObjectHead));
    ASSERT_EQ(words[3], platform::CurrentThread().start);
    words[3]++;
    EXPECT_EQ(Release(*lock), Released::kNotHolder);
    EXPECT_EQ(Acquire(*lock, kNow), robust ? Acquired::kOwnerDied : Acquired::kTimedOut);
    EXPECT_EQ(Release(*lock), robust ? Released::kYes : Released::kNotHolder);
  }
}

TEST(Lock, TakesNoOtherMemory) {
  auto event = std::move(*Event::Create());
  auto wrong = Lock::Adopt(std::move(*platform::DuplicateFd(event->fd())));
  EXPECT_EQ(wrong.status().code(), MPROC_ERROR_WRONG_KIND);
  auto nothing = platform::SharedMemory::Create("mproc-test", 4096, platform::SharedMemory::Peer::kWrites);
  EXPECT_EQ(Lock::Adopt(nothing->GiveFd()).status().code(), MPROC_ERROR_PROTOCOL);
  EXPECT_EQ(Lock::Adopt(std::move(*platform::OpenNull())).status().code(), MPROC_ERROR_PROTOCOL);
}

}  // namespace
}  // namespace mproc::sync
