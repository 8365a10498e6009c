// SPDX-License-Identifier: MIT
#include "sync/barrier.hh"

#include <gtest/gtest.h>

#include "peer.hh"
#include "platform/file_region.hh"
#include "platform/thread_identity.hh"

namespace mproc::sync {
namespace {

using namespace test;

const Deadline kNow = Deadline::After(0);
const Deadline kEver = Deadline::After(INT64_MAX);

std::shared_ptr<Barrier> Make(uint32_t parties) { return std::move(*Barrier::Create(parties)); }
Met Meet(Barrier& barrier, const Deadline& deadline = kEver) {
  uint32_t index = 0;
  return barrier.Meet(deadline, {}, &index);
}

TEST(Barrier, OfOneIsNone) {
  auto barrier = Make(1);
  EXPECT_EQ(Meet(*barrier, kNow), Met::kAll);
  EXPECT_EQ(Meet(*barrier, kNow), Met::kAll);
  EXPECT_EQ(barrier->CountWaiting(), 0U);
}

// No round overtakes another, and in each of them everybody has an index of its own.
TEST(Barrier, KeepsRoundsApart) {
  constexpr int kParties = 5, kRounds = 1000;
  auto barrier = Make(kParties);
  auto shared = MakeShared();
  auto peers = MakePeers(kParties, [&] {
    auto mine = Adopted<Barrier>(barrier->fd());
    for (int64_t round = 0; round < kRounds; round++) {
      uint32_t index = 0;
      auto action = [&] { return shared->at[2]++ == round; };
      ASSERT_EQ(mine->Meet(kEver, round % 2 ? std::function<bool()>(action) : nullptr, &index), Met::kAll);
      if (round % 2 == 0 && index == kParties - 1) shared->at[2]++;
      shared->at[3] += index;
      ASSERT_EQ(Meet(*mine), Met::kAll);
      ASSERT_EQ(shared->at[2], round + 1);
      ASSERT_EQ(shared->at[3], (round + 1) * (kParties * (kParties - 1) / 2));
      ASSERT_EQ(Meet(*mine), Met::kAll);
    }
  });
  for (auto& peer : peers) EXPECT_TRUE(peer.EndsWell(60 * kSecond));
}

TEST(Barrier, BreaksForAllAtATimeOut) {
  auto barrier = Make(3);
  Peer peer([&] { EXPECT_EQ(Meet(*Adopted<Barrier>(barrier->fd())), Met::kBroken); });
  ASSERT_TRUE(Soon([&] { return barrier->CountWaiting() == 1; }));
  EXPECT_EQ(Meet(*barrier, Deadline::After(5 * kMs)), Met::kTimedOut);
  EXPECT_TRUE(barrier->IsBroken());
  EXPECT_TRUE(peer.EndsWell());
  EXPECT_EQ(Meet(*barrier), Met::kBroken);
  EXPECT_EQ(barrier->CountWaiting(), 0U);
  barrier->Reset();
  EXPECT_FALSE(barrier->IsBroken());
}

TEST(Barrier, BreaksForWhoWaitsAtAResetOrAnAbort) {
  for (bool abort : {false, true}) {
    auto barrier = Make(2);
    Peer peer([&] { EXPECT_EQ(Meet(*Adopted<Barrier>(barrier->fd())), Met::kBroken); });
    ASSERT_TRUE(Soon([&] { return barrier->CountWaiting() == 1; }));
    abort ? barrier->Abort() : barrier->Reset();
    EXPECT_TRUE(peer.EndsWell());
    EXPECT_EQ(barrier->IsBroken(), abort);
    if (abort) barrier->Reset();
    Peer next([&] { EXPECT_EQ(Meet(*Adopted<Barrier>(barrier->fd())), Met::kAll); });
    EXPECT_EQ(Meet(*barrier), Met::kAll);
    EXPECT_TRUE(next.EndsWell());
  }
}

TEST(Barrier, BreaksAtAnActionThatFails) {
  auto barrier = Make(2);
  Peer peer([&] { EXPECT_EQ(Meet(*Adopted<Barrier>(barrier->fd())), Met::kBroken); });
  ASSERT_TRUE(Soon([&] { return barrier->CountWaiting() == 1; }));
  uint32_t index = 0;
  EXPECT_EQ(barrier->Meet(
                kEver, [] { return false; }, &index),
            Met::kActionFailed);
  EXPECT_TRUE(peer.EndsWell());
  EXPECT_TRUE(barrier->IsBroken());
}

TEST(Barrier, BreaksWhenOneIsKilledAtItsAction) {
  auto barrier = Make(2);
  auto shared = MakeShared();
  Peer waiter([&] { EXPECT_EQ(Meet(*Adopted<Barrier>(barrier->fd())), Met::kBroken); });
  ASSERT_TRUE(Soon([&] { return barrier->CountWaiting() == 1; }));
  Peer actor([&] {
    uint32_t index = 0;
    Adopted<Barrier>(barrier->fd())
        ->Meet(
            kEver,
            [&] {
              shared->at[0] = 1;
              pause();
              return true;
            },
            &index);
  });
  ASSERT_TRUE(Soon([&] { return shared->at[0] == 1; }));
  actor.Kill();
  EXPECT_TRUE(waiter.EndsWell());
  barrier->Reset();
  Peer next([&] { EXPECT_EQ(Meet(*Adopted<Barrier>(barrier->fd())), Met::kAll); });
  uint32_t index = 0;
  EXPECT_EQ(barrier->Meet(
                kEver, [] { return true; }, &index),
            Met::kAll);
  EXPECT_TRUE(next.EndsWell());
}

// It is looked for even if no slice of sleep ever comes to its end.
TEST(Barrier, BreaksAtADeathWhileSignalsCome) {
  auto barrier = Make(2);
  auto shared = MakeShared();
  Peer actor([&] {
    auto mine = Adopted<Barrier>(barrier->fd());
    EXPECT_TRUE(Soon([&] { return mine->CountWaiting() == 1; }));
    uint32_t index = 0;
    mine->Meet(
        kEver,
        [&]() -> bool {
          shared->at[0] = 1;
          kill(getpid(), SIGKILL);
          return true;
        },
        &index);
  });
  InterruptedOften often;
  EXPECT_EQ(Meet(*barrier, Deadline::After(20 * kSecond)), Met::kBroken);
  actor.Join();
  EXPECT_EQ(shared->at[0], 1);
}

// A thread that lives, and has the number of an actor that does not.
TEST(Barrier, KnowsADeadActorByItsBeginning) {
  auto barrier = Make(1);
  auto memory = platform::MappedRegion::Map(barrier->fd(), 0, 4096);
  ASSERT_TRUE(memory.ok());
  auto* words = reinterpret_cast<uint32_t*>(memory->data() + sizeof(object::ObjectHead));
  const platform::ThreadIdentity& me = platform::CurrentThread();
  words[4] = me.tid;  // the actor
  words[5] = me.start + 1;
  uint32_t index = 0;
  EXPECT_EQ(barrier->Meet(
                Deadline::After(20 * kSecond), [] { return true; }, &index),
            Met::kAll);
}

}  // namespace
}  // namespace mproc::sync
