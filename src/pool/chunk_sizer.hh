// SPDX-License-Identifier: MIT
// How many items the next automatic chunk of a map gets. Not thread-safe: guarded by its map.
//
// A chunk is to take about a millisecond, by what the items before it took, so that its overhead does not
// count. Towards the end chunks become smaller, down to one item, so that the workers end together: none gets
// more than its share of half of what is left. Nothing is known at first: the first chunks are of one item,
// and none is much larger than what was measured.
#pragma once

#include <algorithm>
#include <cstdint>

namespace mproc::pool {

class ChunkSizer {
 public:
  ChunkSizer() = default;
  ChunkSizer(uint64_t workers, uint64_t most) : workers_(std::max<uint64_t>(workers, 1)), most_(most) {}

  // Of `left` items, 1 at least.
  uint64_t Next(uint64_t left) const {
    if (measured_ == 0) return 1;
    auto lasting = [this](double ns) { return static_cast<uint64_t>(std::min(ns / item_ns_, 1e15)); };
    uint64_t size = std::min(lasting(kChunkNs), left / (2 * workers_));
    size = std::max(size, lasting(kLeastNs));
    size = std::min({size, most_, measured_ * kGrowth, left});
    return std::max<uint64_t>(size, 1);
  }
  // A chunk of so many items took so long. One that lost its CPU for a while says nothing about the others.
  void Note(uint64_t items, int64_t nanoseconds) {
    double each = static_cast<double>(std::max<int64_t>(nanoseconds, 1)) / static_cast<double>(items);
    item_ns_ = measured_ ? item_ns_ + (std::min(each, 4 * item_ns_) - item_ns_) / 4 : each;
    measured_ = std::max(measured_, items);
  }
  // What a chunk of so many items will take, in nanoseconds; 0 if nobody knows.
  int64_t Estimate(uint64_t items) const {
    return static_cast<int64_t>(std::min(item_ns_ * static_cast<double>(items), 1e18));
  }

 private:
  static constexpr double kChunkNs = 1e6;
  static constexpr double kLeastNs = 20'000;  // what waking a worker costs: smaller parts balance nothing
  static constexpr uint64_t kGrowth = 8;

  uint64_t workers_ = 1;
  uint64_t most_ = 1;
  double item_ns_ = 0;     // smoothed
  uint64_t measured_ = 0;  // items of the largest chunk that was measured
};

}  // namespace mproc::pool
