// SPDX-License-Identifier: MIT
// How many workers a pool gets if nobody says: CPUs and quotas.
#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include <thread>

#include "platform/cpu.hh"

namespace mproc::pool {
namespace {

TEST(QuotaCpus, RoundsUp) {
  EXPECT_EQ(platform::QuotaCpus("100000 100000"), 1);
  EXPECT_EQ(platform::QuotaCpus("150000 100000"), 2);
  EXPECT_EQ(platform::QuotaCpus("200000 100000"), 2);
  EXPECT_EQ(platform::QuotaCpus("200001 100000"), 3);
  EXPECT_EQ(platform::QuotaCpus("1600000 100000\n"), 16);
  EXPECT_EQ(platform::QuotaCpus("50000 50000"), 1);
}

TEST(QuotaCpus, IsNeverLessThanOne) {
  EXPECT_EQ(platform::QuotaCpus("1000 100000"), 1);
  EXPECT_EQ(platform::QuotaCpus("1 1000000"), 1);
}

TEST(QuotaCpus, OfNoLimitIsNone) {
  EXPECT_EQ(platform::QuotaCpus("max 100000"), 0);
  EXPECT_EQ(platform::QuotaCpus("max"), 0);
  EXPECT_EQ(platform::QuotaCpus("-1 100000"), 0);
}

TEST(QuotaCpus, OfNonsenseIsNone) {
  for (const char* text :
       {"", " ", "100000", "x y", "100000 x", "0 100000", "100000 0", "100000 -5", "0 0", "\n"}) {
    EXPECT_EQ(platform::QuotaCpus(text), 0) << text;
  }
}

TEST(QuotaCpus, OfHugeNumbersIsPositive) {
  EXPECT_GE(platform::QuotaCpus("9223372036854775807 100000"), 0);
  EXPECT_GE(platform::QuotaCpus("9223372036854775807 1"), 0);
  EXPECT_GE(platform::QuotaCpus("99999999999999999999999999 100000"), 0);
  EXPECT_GE(platform::QuotaCpus("4294967296000000 100"), 0);
}

TEST(UsableCpus, FollowsTheAffinityMask) {
  int all = platform::UsableCpus();
  EXPECT_GE(all, 1);
  EXPECT_LE(all, sysconf(_SC_NPROCESSORS_ONLN));
  std::thread([] {
    cpu_set_t old, one;
    ASSERT_EQ(sched_getaffinity(0, sizeof old, &old), 0);
    CPU_ZERO(&one);
    for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++) {
      if (!CPU_ISSET(cpu, &old)) continue;
      CPU_SET(cpu, &one);
      break;
    }
    ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
    EXPECT_EQ(platform::UsableCpus(), 1);
    EXPECT_TRUE(platform::PinnedToOneCpu());
    uint32_t cpu = platform::CurrentCpu();
    EXPECT_TRUE(CPU_ISSET(cpu, &one));
  }).join();
}

}  // namespace
}  // namespace mproc::pool
