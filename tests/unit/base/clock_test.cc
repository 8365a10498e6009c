// SPDX-License-Identifier: MIT
#include "base/clock.hh"

#include <gtest/gtest.h>
#include <unistd.h>

namespace mproc {
namespace {

constexpr int64_t kMs = 1000000;

TEST(Deadline, WithoutLimitNeverPasses) {
  Deadline deadline = Deadline::After(INT64_MAX);
  EXPECT_TRUE(deadline.never());
  EXPECT_FALSE(deadline.immediate());
  EXPECT_FALSE(deadline.Passed());
  EXPECT_EQ(deadline.Remaining(), INT64_MAX);
}

TEST(Deadline, OfNothingAndLessHasPassed) {
  for (int64_t limit : {int64_t{0}, int64_t{-1}, -kMs, INT64_MIN}) {
    Deadline deadline = Deadline::After(limit);
    EXPECT_TRUE(deadline.immediate());
    EXPECT_FALSE(deadline.never());
    EXPECT_TRUE(deadline.Passed());
    EXPECT_EQ(deadline.Remaining(), 0);
  }
}

TEST(Deadline, PassesInItsTime) {
  int64_t began = NowNs();
  Deadline deadline = Deadline::After(20 * kMs);
  EXPECT_FALSE(deadline.immediate());
  EXPECT_LE(deadline.Remaining(), 20 * kMs);
  while (!deadline.Passed()) usleep(500);
  EXPECT_GE(NowNs() - began, 20 * kMs);
  EXPECT_EQ(deadline.Remaining(), 0);
}

TEST(Deadline, OfAgesDoesNotWrap) {
  for (int64_t limit : {INT64_MAX - 1, INT64_MAX - 1000, INT64_MAX / 2}) {
    Deadline deadline = Deadline::After(limit);
    EXPECT_FALSE(deadline.never());
    EXPECT_FALSE(deadline.Passed());
    EXPECT_GT(deadline.Remaining(), INT64_MAX / 4);
  }
}

TEST(Clock, NeverGoesBack) {
  int64_t last = NowNs();
  for (int i = 0; i < 10000; i++) {
    int64_t now = NowNs();
    ASSERT_GE(now, last);
    last = now;
  }
}

}  // namespace
}  // namespace mproc
