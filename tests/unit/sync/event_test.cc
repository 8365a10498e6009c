// SPDX-License-Identifier: MIT
#include "sync/event.hh"

#include <gtest/gtest.h>

#include "peer.hh"

namespace mproc::sync {
namespace {

using namespace test;

const Deadline kNow = Deadline::After(0);
const Deadline kEver = Deadline::After(INT64_MAX);

TEST(Event, IsAFlag) {
  auto event = std::move(*Event::Create());
  EXPECT_FALSE(event->IsSet());
  EXPECT_EQ(event->WaitUntilSet(kNow), Wait::kTimedOut);
  EXPECT_EQ(event->WaitUntilSet(Deadline::After(5 * kMs)), Wait::kTimedOut);
  event->Set();
  event->Set();
  EXPECT_TRUE(event->IsSet());
  EXPECT_EQ(event->WaitUntilSet(kNow), Wait::kDone);
  event->Clear();
  EXPECT_FALSE(event->IsSet());
  EXPECT_EQ(event->WaitUntilSet(kNow), Wait::kTimedOut);
}

TEST(Event, WakesAll) {
  auto event = std::move(*Event::Create());
  auto peers =
      MakePeers(5, [&] { EXPECT_EQ(Adopted<Event>(event->fd())->WaitUntilSet(kEver), Wait::kDone); });
  for (auto& peer : peers) EXPECT_TRUE(peer.Sleeps());
  event->Set();
  event->Clear();  // they were released all the same
  for (auto& peer : peers) EXPECT_TRUE(peer.EndsWell());
  EXPECT_FALSE(event->IsSet());
}

TEST(Event, EndsAWaitAtASignal) {
  auto event = std::move(*Event::Create());
  auto shared = MakeShared();
  Peer peer([&] {
    auto mine = Adopted<Event>(event->fd());
    struct sigaction action {};
    action.sa_handler = [](int) {};
    sigaction(SIGUSR1, &action, nullptr);
    shared->at[0] = 1;
    EXPECT_EQ(mine->WaitUntilSet(kEver), Wait::kInterrupted);
  });
  ASSERT_TRUE(Soon([&] { return shared->at[0] == 1; }));
  // One that comes before it sleeps ends nothing.
  EXPECT_TRUE(Soon([&] {
    kill(peer.pid(), SIGUSR1);
    return StateOf(peer.pid()) == 'Z';
  }));
  EXPECT_TRUE(peer.EndsWell());
}

}  // namespace
}  // namespace mproc::sync
