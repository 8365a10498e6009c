// SPDX-License-Identifier: MIT
#include "base/poll_gate.hh"

#include <gtest/gtest.h>

#include <vector>

namespace mproc {
namespace {

// How many chances are left out after one more failure.
uint32_t LeftOutAfterFailure(PollGate& gate) {
  gate.Failed();
  uint32_t left_out = 0;
  while (!gate.Open()) left_out++;
  return left_out;
}

TEST(PollGate, IsOpenAtFirstAndAfterOneFailure) {
  PollGate gate(64);
  EXPECT_TRUE(gate.Open());
  EXPECT_EQ(LeftOutAfterFailure(gate), 0U);
}

TEST(PollGate, LeavesOutTwiceAsManyEachTimeUpToItsCap) {
  PollGate gate(64);
  std::vector<uint32_t> left_out;
  for (int i = 0; i < 10; i++) left_out.push_back(LeftOutAfterFailure(gate));
  EXPECT_EQ(left_out, (std::vector<uint32_t>{0, 1, 2, 4, 8, 16, 32, 64, 64, 64}));
}

TEST(PollGate, BeginsAnewAfterASuccess) {
  PollGate gate(64);
  for (int i = 0; i < 6; i++) LeftOutAfterFailure(gate);
  EXPECT_TRUE(gate.Open());
  gate.Succeeded();
  EXPECT_EQ(LeftOutAfterFailure(gate), 0U);
  EXPECT_EQ(LeftOutAfterFailure(gate), 1U);
}

TEST(PollGate, StaysAtItsCapForEver) {
  PollGate gate(256);
  for (int i = 0; i < 2000; i++) ASSERT_LE(LeftOutAfterFailure(gate), 256U);
  EXPECT_EQ(LeftOutAfterFailure(gate), 256U);
}

}  // namespace
}  // namespace mproc
