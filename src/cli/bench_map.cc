// SPDX-License-Identifier: MIT
// W8: a lazy map over a million items: memory of this process and items taken ahead. W9: a map over items
// whose times differ, with automatic chunks, against the ideal and against every fixed chunk.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <random>
#include <thread>

#include "cli/bench.hh"

namespace mproc::cli {

namespace {

constexpr uint64_t kMostItems = 1'000'000;

struct Numbers {
  uint64_t pulled = 0, value = 0;
};

// The numbers from 0 on, as an iterable.
int32_t NextNumber(const void** data, size_t* size, void* numbers) {
  auto* self = static_cast<Numbers*>(numbers);
  if (self->pulled == kMostItems) return MPROC_ITEM_END;
  self->value = self->pulled++;
  *data = &self->value;
  *size = sizeof self->value;
  return MPROC_ITEM_GIVEN;
}

// A lazy map over all numbers, and the most memory that this process had meanwhile.
class LazyMap {
 public:
  LazyMap(const PoolPtr& pool, int64_t chunk) : before_(OwnRssBytes()), peak_(before_) {
    mproc_imap_t* made = nullptr;
    Check(mproc_pool_imap(pool.get(), kNoop, NextNumber, &numbers_, chunk, 0, 0, MPROC_IMAP_ORDERED, &made),
          "starting a lazy map");
    imap_.reset(made);
  }
  void Next() {
    const void* data = nullptr;
    size_t size = 0;
    uint64_t index = 0;
    mproc_status_t status = mproc_imap_next(imap_.get(), kWaitLimit, &data, &size, &index);
    if (status != MPROC_OK) Check(status, "the next item of a lazy map");
    if (index != got_++) throw Failure(MPROC_ERROR_INTERNAL, "a lazy map has its items in disorder");
  }
  void NoteMemory() { peak_ = std::max(peak_, OwnRssBytes()); }
  uint64_t got() const { return got_; }
  uint64_t ahead() const { return numbers_.pulled - got_; }
  double GrowthMib() const { return (peak_ - before_) / 1048576; }

 private:
  double before_, peak_;
  Numbers numbers_;
  ImapPtr imap_;
  uint64_t got_ = 0;
};

using Times = std::vector<uint64_t>;  // ns of CPU time that each item takes

Times LogNormalTimes(uint64_t count) {
  std::mt19937_64 random(1);
  std::lognormal_distribution<double> one(std::log(100e3), 1);
  Times times(count);
  for (uint64_t& time : times) time = static_cast<uint64_t>(one(random));
  return times;
}

double MapTimes(const PoolPtr& pool, const Times& times, int64_t chunk) {
  uint64_t start = Now();
  mproc_future_t* made = nullptr;
  Check(mproc_pool_map_array(pool.get(), kSpin, times.data(), sizeof times[0], times.size(), nullptr, 0,
                             chunk, kWaitLimit, &made),
        "mapping times");
  FuturePtr future(made);
  Check(mproc_future_error(made), "mapping times");
  return SecondsSince(start);
}

void EmitSkewed(const BenchSettings& settings, const PoolPtr& pool, const Times& times,
                const std::string& prefix) {
  constexpr int64_t kChunks[] = {MPROC_CHUNK_AUTO, 1, 4, 16, 64, 256, 1024};
  uint64_t sum = 0;
  for (uint64_t time : times) sum += time;
  std::vector<double> bare;
  std::vector<double> taken[std::size(kChunks)];
  for (uint64_t round = settings.Pick(3, 1); round > 0; round--) {  // turn about: all see the same machine
    bare.push_back(Burners(static_cast<int64_t>(sum / 2)));
    for (size_t i = 0; i < std::size(kChunks); i++) taken[i].push_back(MapTimes(pool, times, kChunks[i]));
  }
  auto median = [](std::vector<double>& values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
  };
  double automatic = median(taken[0]);
  size_t best = 1;
  for (size_t i = 1; i < std::size(kChunks); i++) {
    if (median(taken[i]) < median(taken[best])) best = i;
  }
  Emit("W9", prefix + "total_vs_ideal", automatic / (static_cast<double>(sum) / 2e9), "ratio");
  Emit("W9", prefix + "total_vs_burners", automatic / median(bare), "ratio");
  Emit("W9", prefix + "total_vs_best_chunk", automatic / median(taken[best]), "ratio");
  Emit("W9", prefix + "best_chunk", static_cast<double>(kChunks[best]), "items");
}

}  // namespace

void RunW8(const BenchSettings& settings) {
  PoolPtr pool = StartBenchPool(settings, 2);
  CallNoop(pool, 1);
  {
    LazyMap slow(pool, MPROC_CHUNK_AUTO);
    uint64_t end = Now() + settings.Pick(3'000'000'000, 1'000'000'000);
    while (Now() < end && slow.got() < kMostItems) {
      slow.Next();
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      if (slow.got() % 50 == 0) slow.NoteMemory();
    }
    Emit("W8", "peak_rss_growth", slow.GrowthMib(), "MiB");
    Emit("W8", "pulled_ahead", static_cast<double>(slow.ahead()), "items");
    Emit("W8", "est_rss_at_1M_items", slow.GrowthMib(), "MiB");  // it does not run ahead
  }
  LazyMap whole(pool, 64);
  while (whole.got() < kMostItems) {
    whole.Next();
    if (whole.got() % 50'000 == 0) whole.NoteMemory();
  }
  Emit("W8", "rss_growth_of_1M_items", whole.GrowthMib(), "MiB");
}

void RunW9(const BenchSettings& settings) {
  PoolPtr pool = StartBenchPool(settings, 2);
  for (uint64_t i = 0; i < 100; i++) CallNoop(pool, i);  // what is known of other functions must not mislead
  Times times = LogNormalTimes(settings.Pick(20'000, 4'000));
  EmitSkewed(settings, pool, times, "");
  std::sort(times.begin(), times.end());
  EmitSkewed(settings, pool, times, "sorted_");
}

}  // namespace mproc::cli
