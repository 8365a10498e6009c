// SPDX-License-Identifier: MIT
#include "pool/function_times.hh"

#include <gtest/gtest.h>

namespace mproc::pool {
namespace {

TEST(Histogram, OfNothingIsZero) {
  Histogram none;
  EXPECT_EQ(none.Count(), 0U);
  EXPECT_EQ(none.Percentile(50), 0U);
  EXPECT_EQ(none.most(), 0U);
}

TEST(Histogram, PercentilesAreAtMostAnEighthTooLarge) {
  Histogram times;
  for (uint64_t i = 1; i <= 100'000; i++) times.Add(i);
  EXPECT_EQ(times.Count(), 100'000U);
  EXPECT_EQ(times.total(), uint64_t{100'000} * 100'001 / 2);
  for (uint64_t percent : {1, 10, 50, 90, 99, 100}) {
    uint64_t truth = percent * 1000, told = times.Percentile(percent);
    EXPECT_GE(told, truth);
    EXPECT_LE(told, truth + truth / 8);
  }
  EXPECT_EQ(times.most(), 100'000U);
  EXPECT_EQ(times.Percentile(100), 100'000U);
}

TEST(Histogram, EachValueLiesInItsBucket) {
  for (uint64_t value = 0; value < 1 << 12; value++) {
    Histogram times;
    times.Add(value);
    times.Add(uint64_t{1} << 47);  // so that the most does not help
    uint64_t told = times.Percentile(50);
    ASSERT_GE(told, value);
    ASSERT_LE(told, value + value / 8);
  }
}

TEST(Histogram, BoundsWhatIsTooLarge) {
  Histogram times;
  times.Add(UINT64_MAX);
  EXPECT_EQ(times.Percentile(50), (uint64_t{1} << 48) - 1);
}

TEST(FunctionTimes, KeepsFunctionsApart) {
  FunctionTimes times;
  EXPECT_EQ(times.Read(1), nullptr);
  for (uint32_t function : {1U, 65U, 1U, 129U, 65U})
    times.Of(function)->ran.Add(function);  // one recent place
  EXPECT_EQ(times.Read(1)->ran.Count(), 2U);
  EXPECT_EQ(times.Read(65)->ran.Count(), 2U);
  EXPECT_EQ(times.Read(129)->ran.most(), 129U);
}

TEST(FunctionTimes, IsBounded) {
  FunctionTimes times;
  uint32_t function = 0;
  while (times.Of(function)) function++;
  EXPECT_EQ(function, 1024U);
  EXPECT_NE(times.Of(5), nullptr);
}

}  // namespace
}  // namespace mproc::pool
