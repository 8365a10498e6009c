// SPDX-License-Identifier: MIT
// Tests that whoever waits is woken. Without a wake-up it would look by itself when its slice of sleep is
// over, and every other test would pass; here so many waits follow one another that their slices take much
// longer than the test.
#pragma once

#include <gtest/gtest.h>

#include "peer.hh"
#include "sync/sleep.hh"

namespace mproc::test {

inline constexpr int kRounds = 200;
inline const Deadline kEver = Deadline::After(INT64_MAX);

// Both sides wait for each other, round after round, in a small part of the time of as many slices.
inline void TakeTurns(const std::function<void(Peer& peer)>& here, const std::function<void()>& there) {
  int64_t begun = NowNs();
  Peer peer(there);
  here(peer);
  EXPECT_TRUE(peer.EndsWell());
  EXPECT_LT(NowNs() - begun, kRounds * sync::kSlice / 4);
}

}  // namespace mproc::test
