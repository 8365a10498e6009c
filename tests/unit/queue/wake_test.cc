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
      [&] {
        for (int i = 0; i < kRounds; i++) Put(*ping), Get(*pong);
      },
      [&] {
        auto mine = Adopted(*ping), other = Adopted(*pong);
        for (int i = 0; i < kRounds; i++) Get(*mine), Put(*other);
      });
}

// Two full queues: a put into one waits for the other side's get, which waits with its next put for ours.
TEST(WakeQueue, ByRoom) {
  auto ping = Make(1), pong = Make(1);
  Put(*ping);
  Put(*pong);
  TakeTurns(
      [&] {
        for (int i = 0; i < kRounds; i++) Get(*pong), Put(*ping);
      },
      [&] {
        auto mine = Adopted(*ping), other = Adopted(*pong);
        for (int i = 0; i < kRounds; i++) Put(*other), Get(*mine);
      });
}

TEST(WakeQueue, ByTheLastReport) {
  auto work = Make();
  TakeTurns(
      [&] {
        for (int i = 0; i < kRounds; i++) {
          Put(*work);
          EXPECT_TRUE(work->WaitUntilDone(kEver).ok());
        }
      },
      [&] {
        auto mine = Adopted(*work);
        for (int i = 0; i < kRounds; i++) {
          Get(*mine);
          EXPECT_TRUE(mine->ReportDone().ok());
        }
      });
}

}  // namespace
}  // namespace mproc::queue
