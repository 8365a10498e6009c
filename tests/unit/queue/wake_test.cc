// SPDX-License-Identifier: MIT
// Whoever waits for a queue is woken (unit/sync/turns.hh).
#include <gtest/gtest.h>

#include "queue/queue.hh"
#include "unit/sync/turns.hh"

namespace mproc::queue {
namespace {

using namespace test;

void Put(Queue& queue) { EXPECT_TRUE(queue.Put(AsBytes("item", 4), {}, kEver).ok()); }
void Get(Queue& queue) {
  object::Message message;
  EXPECT_TRUE(queue.Get(&message, kEver).ok());
}
std::shared_ptr<Queue> Make(uint64_t most_items = 0) {
  Limits limits;
  limits.items = most_items;
  return std::move(*Queue::Create(limits, false));
}

// Round after round the other side sleeps in `waits`, `wake` ends that, and an item of another queue says so.
void WakeEachRound(Queue& queue, const std::function<void(Queue&)>& wake,
                   const std::function<void(Queue&)>& waits) {
  auto back = Make();
  TakeTurns(
      [&](Peer& peer) {
        for (int i = 0; i < kRounds; i++) {
          EXPECT_TRUE(peer.Sleeps());
          wake(queue);
          Get(*back);
        }
      },
      [&] {
        auto mine = Adopted(queue), other = Adopted(*back);
        for (int i = 0; i < kRounds; i++) waits(*mine), Put(*other);
      });
}

TEST(WakeQueue, ByAnItem) { WakeEachRound(*Make(), Put, Get); }

TEST(WakeQueue, ByRoom) {
  auto full = Make(1);
  Put(*full);
  WakeEachRound(*full, Get, Put);
}

// A queue without limits is full when its socket is.
TEST(WakeQueue, ByRoomForObjects) {
  auto full = std::move(*Queue::Create({}, true));
  auto lock = std::move(*sync::Lock::Create({}));
  std::vector<object::PassedObject> objects(64, object::Pass(lock));
  while (full->Put(AsBytes("item", 4), objects, Deadline::After(0)).ok()) {
  }
  WakeEachRound(*full, Get,
                [&](Queue& mine) { EXPECT_TRUE(mine.Put(AsBytes("item", 4), objects, kEver).ok()); });
}

TEST(WakeQueue, ByTheLastReport) {
  auto report = [](Queue& work) {
    Get(work);
    EXPECT_TRUE(work.ReportDone().ok());
  };
  auto put_and_wait = [](Queue& mine) {
    Put(mine);
    EXPECT_TRUE(mine.WaitUntilDone(kEver).ok());
  };
  WakeEachRound(*Make(), report, put_and_wait);
}

}  // namespace
}  // namespace mproc::queue
