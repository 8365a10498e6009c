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

TEST(WakeQueue, ByAnItem) {
  auto ping = Make(), pong = Make();
  TakeTurns(
      [&](Peer& peer) {
        for (int i = 0; i < kRounds; i++) {
          EXPECT_TRUE(peer.Sleeps());
          Put(*ping);
          Get(*pong);
        }
      },
      [&] {
        auto mine = Adopted(*ping), other = Adopted(*pong);
        for (int i = 0; i < kRounds; i++) Get(*mine), Put(*other);
      });
}

// A full queue, and one whose items go the other way.
TEST(WakeQueue, ByRoom) {
  auto full = Make(1), back = Make();
  Put(*full);
  TakeTurns(
      [&](Peer& peer) {
        for (int i = 0; i < kRounds; i++) {
          EXPECT_TRUE(peer.Sleeps());
          Get(*full);
          Get(*back);
        }
      },
      [&] {
        auto mine = Adopted(*full), other = Adopted(*back);
        for (int i = 0; i < kRounds; i++) Put(*mine), Put(*other);
      });
}

// A queue without limits is full when its socket is.
TEST(WakeQueue, ByRoomForObjects) {
  auto full = std::move(*Queue::Create({}, true));
  auto back = Make();
  auto lock = std::move(*sync::Lock::Create({}));
  std::vector<object::PassedObject> objects(64, object::Pass(lock));
  while (full->Put(AsBytes("item", 4), objects, Deadline::After(0)).ok()) {
  }
  TakeTurns(
      [&](Peer& peer) {
        for (int i = 0; i < kRounds; i++) {
          EXPECT_TRUE(peer.Sleeps());
          Get(*full);
          Get(*back);
        }
      },
      [&] {
        auto mine = Adopted(*full), other = Adopted(*back);
        for (int i = 0; i < kRounds; i++) {
          EXPECT_TRUE(mine->Put(AsBytes("item", 4), objects, kEver).ok());
          Put(*other);
        }
      });
}

TEST(WakeQueue, ByTheLastReport) {
  auto work = Make();
  TakeTurns(
      [&](Peer& peer) {
        for (int i = 0; i < kRounds; i++) {
          Get(*work);
          EXPECT_TRUE(peer.Sleeps());
          EXPECT_TRUE(work->ReportDone().ok());
        }
      },
      [&] {
        auto mine = Adopted(*work);
        for (int i = 0; i < kRounds; i++) {
          Put(*mine);
          EXPECT_TRUE(mine->WaitUntilDone(kEver).ok());
        }
      });
}

}  // namespace
}  // namespace mproc::queue
