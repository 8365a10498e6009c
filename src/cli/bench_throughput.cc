// SPDX-License-Identifier: MIT
// W2: many tasks that do nothing, submitted one by one or mapped. W6: tasks of a millisecond of CPU time,
// against the ideal and against two bare threads that burn the same.
#include <algorithm>
#include <cstring>
#include <ctime>
#include <functional>
#include <thread>

#include "cli/bench.hh"

namespace mproc::cli {

namespace {

// Runs `n` tasks and returns the seconds they took.
using Run = std::function<double(uint64_t n)>;

// Scales the number of tasks so that a run takes about 0.4 s, and prints the rate of that run.
void EmitRate(const BenchSettings& settings, const char* metric, uint64_t most, const Run& run) {
  double budget = 0.4 * settings.Share();
  auto fitting = [&](double n, double seconds) {
    return std::clamp(n / std::max(seconds, 1e-9) * budget, 2000.0, static_cast<double>(most));
  };
  double n = 2000;
  double seconds = run(static_cast<uint64_t>(n));
  n = fitting(n, seconds);
  seconds = run(static_cast<uint64_t>(n));
  if (seconds < budget / 4 && n < static_cast<double>(most)) {
    n = fitting(n, seconds);
    seconds = run(static_cast<uint64_t>(n));
  }
  Emit("W2", metric, static_cast<double>(static_cast<uint64_t>(n)) / seconds, "tasks/s");
}

bool IsSample(uint64_t i) { return i % 64 == 0; }

// One by one, at most `window` in flight: when it is full the oldest is waited for.
double Windowed(const PoolPtr& pool, BenchFunction function, uint64_t n, uint64_t window) {
  std::vector<FuturePtr> ring(window);
  uint64_t start = Now(), sent = 0;
  for (uint64_t got = 0; got < n; got++) {
    for (; sent < n && sent - got < window; sent++) ring[sent % window] = Submit(pool, function, sent);
    FuturePtr oldest = std::move(ring[got % window]);
    AwaitValue(oldest.get());
    if (function == kNoop && IsSample(got)) CheckValue(oldest.get(), got);
  }
  return SecondsSince(start);
}

// One by one, all submitted before the first is waited for.
double AllAtOnce(const PoolPtr& pool, uint64_t n) {
  std::vector<mproc_future_t*> futures(n);
  uint64_t start = Now();
  for (uint64_t i = 0; i < n; i++) futures[i] = Submit(pool, kNoop, i).release();
  AwaitAll(futures);
  for (uint64_t i = 0; i < n; i++) {
    FuturePtr future(futures[i]);
    if (IsSample(i)) CheckValue(future.get(), i);
  }
  return SecondsSince(start);
}

double MapArray(const PoolPtr& pool, uint64_t n, int64_t chunk) {
  std::vector<uint64_t> input(n), output(n);
  for (uint64_t i = 0; i < n; i++) input[i] = i + 1;
  uint64_t start = Now();
  mproc_future_t* made = nullptr;
  Check(mproc_pool_map_array(pool.get(), kNoop, input.data(), sizeof input[0], n, output.data(),
                             sizeof output[0], chunk, kWaitLimit, &made),
        "mapping an array");
  FuturePtr future(made);
  Check(mproc_future_error(made), "mapping an array");
  double seconds = SecondsSince(start);
  if (output != input) throw Failure(MPROC_ERROR_INTERNAL, "an array map has wrong results");
  return seconds;
}

double MapItems(const PoolPtr& pool, uint64_t n, int64_t chunk) {
  std::vector<uint64_t> values(n);
  std::vector<const void*> items(n);
  std::vector<size_t> sizes(n, sizeof values[0]);
  for (uint64_t i = 0; i < n; i++) items[i] = &(values[i] = i);
  uint64_t start = Now();
  mproc_future_t* made = nullptr;
  Check(mproc_pool_map(pool.get(), kNoop, items.data(), sizes.data(), n, chunk, MPROC_MAP_STOP_CHUNK,
                       kWaitLimit, &made),
        "mapping items");
  FuturePtr future(made);
  uint64_t wrong = 0;
  for (uint64_t i = 0; i < n; i++) {
    const void* data = nullptr;
    size_t size = 0;
    if (mproc_future_item(made, i, &data, &size) != MPROC_OK || size != sizeof i ||
        std::memcmp(data, &i, size)) {
      wrong++;
    }
  }
  future.reset();
  double seconds = SecondsSince(start);
  if (wrong) throw Failure(MPROC_ERROR_INTERNAL, "a map of items has wrong results");
  return seconds;
}

// The default map as one would write it by hand: one task for each of 4 x workers chunks.
double RangeByHand(const PoolPtr& pool, uint64_t n) {
  std::vector<uint64_t> input(n), output(n);
  for (uint64_t i = 0; i < n; i++) input[i] = i + 1;
  uint64_t start = Now(), chunk = n / 8 + 1;
  std::vector<FuturePtr> futures;
  for (uint64_t at = 0; at < n; at += chunk) {
    mproc_future_t* made = nullptr;
    Check(mproc_pool_submit(pool.get(), kRange, &input[at], std::min(chunk, n - at) * sizeof input[0],
                            kWaitLimit, &made),
          "submitting a range");
    futures.emplace_back(made);
  }
  for (size_t i = 0; i < futures.size(); i++) {
    AwaitValue(futures[i].get());
    uint64_t at = i * chunk;
    Check(mproc_future_copy_result(futures[i].get(), &output[at], std::min(chunk, n - at) * sizeof output[0],
                                   nullptr),
          "result of a range");
  }
  double seconds = SecondsSince(start);
  if (output != input) throw Failure(MPROC_ERROR_INTERNAL, "a range has wrong results");
  return seconds;
}

int64_t ThreadCpuTime() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

}  // namespace

double Burners(int64_t each) {
  auto burn = [each] {
    for (int64_t end = ThreadCpuTime() + each; ThreadCpuTime() < end;) {
    }
  };
  uint64_t start = Now();
  std::thread other(burn);
  burn();
  other.join();
  return SecondsSince(start);
}

void RunW2(const BenchSettings& settings) {
  constexpr uint64_t kMost = 20'000'000, kMostArray = 8'000'000, kMostItems = 2'000'000;
  PoolPtr pool = StartBenchPool(settings, 2);
  const uint64_t all = settings.Pick(200'000, 80'000);
  auto rate = [&](const char* metric, uint64_t most, const Run& run) {
    EmitRate(settings, metric, most, run);
  };
  rate("async_cs1", kMost, [&](uint64_t n) { return Windowed(pool, kNoop, n, 256); });
  rate("async_cs1_w64", kMost, [&](uint64_t n) { return Windowed(pool, kNoop, n, 64); });
  rate("async_cs1_w1000", kMost, [&](uint64_t n) { return Windowed(pool, kNoop, n, 1000); });
  rate("async_cs1_all", all, [&](uint64_t n) { return AllAtOnce(pool, n); });
  rate("map_cs1", kMostArray, [&](uint64_t n) { return MapArray(pool, n, 1); });
  rate("map_cs1_items", kMostItems, [&](uint64_t n) { return MapItems(pool, n, 1); });
  rate("map_default", kMostArray, [&](uint64_t n) { return MapArray(pool, n, MPROC_CHUNK_AUTO); });
  rate("map_default_items", kMostItems, [&](uint64_t n) { return MapItems(pool, n, MPROC_CHUNK_AUTO); });
  rate("map_by_hand", kMostArray, [&](uint64_t n) { return RangeByHand(pool, n); });
}

void RunW6(const BenchSettings& settings) {
  PoolPtr pool = StartBenchPool(settings, 2);
  CallNoop(pool, 1);
  const uint64_t tasks = settings.Pick(2000, 500);
  const double ideal = static_cast<double>(tasks) * 1e-3 / 2;
  std::vector<double> pooled, bare;
  for (int round = 0; round < 3; round++) {  // turn about, so that both see the same machine
    bare.push_back(Burners(static_cast<int64_t>(tasks) * 500'000));
    pooled.push_back(Windowed(pool, kBusy, tasks, 64));
  }
  std::sort(bare.begin(), bare.end());
  std::sort(pooled.begin(), pooled.end());
  Emit("W6", "efficiency", ideal / pooled[1], "ratio");
  Emit("W6", "efficiency_vs_burners", bare[1] / pooled[1], "ratio");
}

}  // namespace mproc::cli
