// SPDX-License-Identifier: MIT
#include "loop/timer.hh"

#include <gtest/gtest.h>

#include <memory>

#include "base/clock.hh"

namespace mproc::loop {
namespace {

constexpr int64_t kMs = 1000000;

TEST(Timer, ComesOnceAndNotTooEarly) {
  Loop loop;
  ASSERT_TRUE(loop.Init().ok());
  Timer timer;
  int calls = 0;
  ASSERT_TRUE(timer.Init(loop, [&] { calls++; }).ok());
  int64_t begin = NowNs();
  timer.Start(10 * kMs);
  EXPECT_TRUE(timer.active());
  loop.Run();
  EXPECT_EQ(calls, 1);
  EXPECT_FALSE(timer.active());
  EXPECT_GE(NowNs() - begin, 9 * kMs);  // the loop's clock counts whole milliseconds
}

TEST(Timer, RepeatsUntilStopped) {
  Loop loop;
  ASSERT_TRUE(loop.Init().ok());
  Timer timer;
  int calls = 0;
  ASSERT_TRUE(timer
                  .Init(loop,
                        [&] {
                          if (++calls == 5) timer.Stop();
                        })
                  .ok());
  timer.Start(0, 1);
  loop.Run();
  EXPECT_EQ(calls, 5);
}

TEST(Timer, StartingAgainReplacesWhatWasSet) {
  Loop loop;
  ASSERT_TRUE(loop.Init().ok());
  Timer timer;
  int calls = 0;
  ASSERT_TRUE(timer.Init(loop, [&] { calls++; }).ok());
  timer.Start(3600 * 1000 * kMs);
  timer.Start(1);
  loop.Run();
  EXPECT_EQ(calls, 1);
}

TEST(Timer, MayBeDestroyedInItsCallback) {
  Loop loop;
  ASSERT_TRUE(loop.Init().ok());
  auto timer = std::make_unique<Timer>();
  ASSERT_TRUE(timer->Init(loop, [&] { timer.reset(); }).ok());
  timer->Start(0, 1);
  loop.Run();
  EXPECT_FALSE(timer);
}

TEST(Timer, DoesNotComeAfterStopOrClose) {
  Loop loop;
  ASSERT_TRUE(loop.Init().ok());
  Timer timer;
  ASSERT_TRUE(timer.Init(loop, [] { FAIL(); }).ok());
  timer.Start(0);
  timer.Stop();
  loop.RunDue();
  timer.Start(0);
  timer.Close();
  timer.Close();
  loop.RunDue();
  timer.Start(0);  // does nothing
}

}  // namespace
}  // namespace mproc::loop
