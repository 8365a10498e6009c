// SPDX-License-Identifier: MIT
// W1: the round trip of one task at a time. W3: the same with payloads, counted both ways.
#include <chrono>
#include <random>
#include <thread>

#include "cli/bench.hh"

namespace mproc::cli {

namespace {

// What the caller does between two calls.
enum class Pause { kNone, kSleep, kCompute };

void RunPause(Pause pause, uint64_t length) {
  if (pause == Pause::kSleep) std::this_thread::sleep_for(std::chrono::nanoseconds(length));
  if (pause == Pause::kCompute) {
    for (uint64_t end = Now() + length; Now() < end;) {
    }
  }
}

void EmitRoundTrips(const BenchSettings& settings, const PoolPtr& pool, Pause pause, const char* suffix) {
  std::mt19937_64 random(1);
  std::uniform_int_distribution<uint64_t> length(80'000, 300'000);
  uint64_t calls = 0;
  for (; calls < 200; calls++) CallNoop(pool, calls);
  std::vector<uint64_t> times;
  uint64_t end = Now() + static_cast<uint64_t>(0.8e9 * settings.Share());
  while (Now() < end && times.size() < 1'000'000) {
    if (pause != Pause::kNone) RunPause(pause, length(random));
    uint64_t start = Now();
    CallNoop(pool, calls++);
    times.push_back(Now() - start);
  }
  Emit("W1", std::string("p50") + suffix, Percentile(&times, 0.50) / 1e3, "us");
  Emit("W1", std::string("p99") + suffix, Percentile(&times, 0.99) / 1e3, "us");
}

void EmitEcho(const BenchSettings& settings, const PoolPtr& pool, const char* metric, size_t size) {
  std::vector<char> input(size, 'x'), output(size);
  auto once = [&] {
    mproc_future_t* made = nullptr;
    Check(mproc_pool_apply(pool.get(), kEcho, input.data(), size, kWaitLimit, &made), "calling echo");
    FuturePtr future(made);
    size_t got = 0;
    Check(mproc_future_copy_result(made, output.data(), size, &got), "result of echo");
    if (got != size) throw Failure(MPROC_ERROR_INTERNAL, "echo lost bytes");
  };
  once();
  once();
  if (output != input) throw Failure(MPROC_ERROR_INTERNAL, "echo changed bytes");
  uint64_t start = Now(), count = 0, limit = static_cast<uint64_t>(0.3e9 * settings.Share());
  do {
    once();
    count++;
  } while (Now() - start < limit);
  Emit("W3", metric, 2.0 * static_cast<double>(size * count) / SecondsSince(start) / 1e6, "MB/s");
}

// A call whose payload is written, changed and answered in one place, so that its size should not matter.
void EmitInPlace(const BenchSettings& settings, const PoolPtr& pool, const char* metric, size_t size) {
  mproc_block_t* made = nullptr;
  Check(mproc_block_create(size, &made), "making a block");
  BlockPtr block(made);
  void* data = nullptr;
  Check(mproc_block_data(made, &data, nullptr), "the block's bytes");
  unsigned char expected = 0;
  auto once = [&] {
    mproc_future_t* submitted = nullptr;
    Check(mproc_pool_submit_block(pool.get(), kInPlace, made, 0, size, nullptr, nullptr, kWaitLimit, nullptr,
                                  nullptr, nullptr, &submitted),
          "submitting a block");
    FuturePtr future(submitted);
    Check(mproc_future_wait(submitted, kWaitLimit), "waiting for a block");
    const void* value = nullptr;
    size_t got = 0;
    Check(mproc_future_result(submitted, &value, &got), "result in place");
    expected++;
    if (value != data || got != size || static_cast<const unsigned char*>(value)[size - 1] != expected) {
      throw Failure(MPROC_ERROR_INTERNAL, "the block is not what the worker made of it");
    }
  };
  for (int i = 0; i < 200; i++) once();  // the counter wraps, as a byte does
  std::vector<uint64_t> times;
  uint64_t end = Now() + static_cast<uint64_t>(0.3e9 * settings.Share());
  while (Now() < end) {
    uint64_t start = Now();
    once();
    times.push_back(Now() - start);
  }
  Emit("W3", metric, Percentile(&times, 0.50) / 1e3, "us");
}

}  // namespace

void RunW1(const BenchSettings& settings) {
  PoolPtr pool = StartBenchPool(settings, 2);
  EmitRoundTrips(settings, pool, Pause::kNone, "");
  EmitRoundTrips(settings, pool, Pause::kSleep, "_gap");
  EmitRoundTrips(settings, pool, Pause::kCompute, "_gap_busy");
  pool = StartBenchPool(settings, 2, MPROC_POLLING_SPIN);
  EmitRoundTrips(settings, pool, Pause::kNone, "_spin");
}

void RunW3(const BenchSettings& settings) {
  PoolPtr pool = StartBenchPool(settings, 2);
  EmitEcho(settings, pool, "echo_1KiB", size_t{1} << 10);
  EmitEcho(settings, pool, "echo_64KiB", size_t{1} << 16);
  EmitEcho(settings, pool, "echo_1MiB", size_t{1} << 20);
  EmitEcho(settings, pool, "echo_64MiB", size_t{1} << 26);
  EmitInPlace(settings, pool, "in_place_64B_p50", 64);
  EmitInPlace(settings, pool, "in_place_1MiB_p50", size_t{1} << 20);
  EmitInPlace(settings, pool, "in_place_64MiB_p50", size_t{1} << 26);
}

}  // namespace mproc::cli
