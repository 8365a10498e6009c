// SPDX-License-Identifier: MIT
#include "pool/chunk_sizer.hh"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

namespace mproc::pool {
namespace {

// Two workers that take the next chunk when they are done with one, holding one more ahead each; how long
// the map takes, in nanoseconds.
double RunTwo(const std::vector<double>& items, uint64_t fixed) {
  constexpr double kPerChunk = 2000;
  ChunkSizer sizer(2, 4096);
  struct Worker {
    double free_at = 0;
    double runs = 0, waits = 0;  // how long
    uint64_t run_items = 0, wait_items = 0;
  } workers[2];
  size_t next = 0;
  auto take = [&](uint64_t* count) {
    size_t left = items.size() - next;
    *count = left == 0 ? 0 : fixed ? std::min<uint64_t>(fixed, left) : sizer.Next(left);
    double sum = 0;
    for (uint64_t i = 0; i < *count; i++) sum += items[next++];
    return sum;
  };
  for (int what = 0; what < 2; what++) {
    for (Worker& worker : workers) {
      (what ? worker.waits : worker.runs) = take(what ? &worker.wait_items : &worker.run_items);
    }
  }
  for (Worker& worker : workers) worker.free_at = worker.runs + kPerChunk;
  for (;;) {
    bool first =
        workers[1].run_items == 0 || (workers[0].run_items != 0 && workers[0].free_at <= workers[1].free_at);
    Worker& worker = workers[first ? 0 : 1];
    Worker& other = workers[first ? 1 : 0];
    if (worker.run_items == 0) break;
    sizer.Note(worker.run_items, static_cast<int64_t>(worker.runs));
    if (worker.wait_items == 0) {  // what waits behind the other one is taken from it
      std::swap(worker.waits, other.waits);
      std::swap(worker.wait_items, other.wait_items);
    }
    worker.runs = worker.waits;
    worker.run_items = worker.wait_items;
    if (worker.run_items != 0) worker.free_at += worker.runs + kPerChunk;
    worker.waits = take(&worker.wait_items);
  }
  return std::max(workers[0].free_at, workers[1].free_at);
}

TEST(ChunkSizer, IsNearTheIdealAndTheBestFixedChunk) {
  std::mt19937_64 random(9);
  for (double median : {100e3, 1e3, 1e6}) {
    std::lognormal_distribution<double> times(std::log(median), 1);
    std::vector<double> items(20000);
    for (double& item : items) item = times(random);
    std::vector<double> ascending = items, descending;
    std::sort(ascending.begin(), ascending.end());
    descending.assign(ascending.rbegin(), ascending.rend());
    double ideal = 0;
    for (double item : items) ideal += item / 2;
    for (const auto& order : {items, ascending, descending}) {
      double best = 1e18;
      for (uint64_t fixed : {1, 4, 16, 64, 256, 1024}) best = std::min(best, RunTwo(order, fixed));
      double automatic = RunTwo(order, 0);
      EXPECT_LT(automatic, 1.05 * ideal) << median;
      EXPECT_LT(automatic, 1.05 * best) << median;
    }
  }
}

TEST(ChunkSizer, FindsOutInSmallSteps) {
  ChunkSizer sizer(2, 4096);
  EXPECT_EQ(sizer.Next(1 << 20), 1U);
  EXPECT_EQ(sizer.Estimate(1), 0);
  sizer.Note(1, 10);
  EXPECT_EQ(sizer.Next(1 << 20), 8U);
  EXPECT_EQ(sizer.Estimate(8), 80);
  sizer.Note(8, 80);
  EXPECT_EQ(sizer.Next(1 << 20), 64U);
  sizer.Note(64, 640);
  sizer.Note(512, 5120);
  EXPECT_EQ(sizer.Next(1 << 20), 4096U);
  EXPECT_EQ(sizer.Next(100), 100U);  // a microsecond of work is not worth a second worker
}

TEST(ChunkSizer, ChunksShrinkTowardsTheEnd) {
  ChunkSizer sizer(4, 1000);
  for (uint64_t items : {1, 8, 64, 512}) sizer.Note(items, static_cast<int64_t>(items) * 100'000);
  uint64_t before = UINT64_MAX, left = 1000, chunks = 0;
  for (; left > 0; chunks++) {
    uint64_t size = sizer.Next(left);
    ASSERT_GE(size, 1U);
    ASSERT_LE(size, std::max<uint64_t>(1, left / 8));
    ASSERT_LE(size, 10U);
    ASSERT_LE(size, before);
    before = size;
    left -= size;
  }
  EXPECT_EQ(before, 1U);
  EXPECT_LT(chunks, 140U);
}

TEST(ChunkSizer, BearsAnyTime) {
  for (int64_t time : {INT64_MIN, int64_t{-1}, int64_t{0}, int64_t{1}, INT64_MAX}) {
    ChunkSizer sizer(1, UINT64_MAX);
    sizer.Note(1, time);
    EXPECT_GE(sizer.Next(UINT64_MAX), 1U);
    EXPECT_LE(sizer.Next(1), 1U);
    EXPECT_GE(sizer.Estimate(UINT64_MAX), 0);
  }
}

}  // namespace
}  // namespace mproc::pool
