// SPDX-License-Identifier: MIT
// What the workloads of `mproc bench` share: settings, clock, pools of the bench module, and the output.
#ifndef MPROC_CLI_BENCH_HH
#define MPROC_CLI_BENCH_HH

#include <mproc/mproc.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "cli/bench_functions.hh"
#include "cli/handles.hh"

namespace mproc::cli {

// No single wait of a benchmark takes longer; one that does is a failure, not a slow result.
inline constexpr int64_t kWaitLimit = 20 * MPROC_SECOND;

struct BenchSettings {
  bool quick = false;
  size_t host_mib = 0;  // memory that W4 touches in this process before a second round
  std::string module;

  double Share() const { return quick ? 0.4 : 1.0; }
  uint64_t Pick(uint64_t full, uint64_t quick_value) const { return quick ? quick_value : full; }
};

// Nanoseconds of a clock that never goes back.
uint64_t Now();
inline double SecondsSince(uint64_t start) { return static_cast<double>(Now() - start) / 1e9; }

// The value below which a share `p` of `values` lies; 0 of none. Sorts them.
double Percentile(std::vector<uint64_t>* values, double p);

// Prints one line of JSON.
void Emit(const char* workload, const std::string& metric, double value, const char* unit);

// A pool of the bench module; with all workers ready unless `wait` is false.
PoolPtr StartBenchPool(const BenchSettings& settings, int workers, int polling = MPROC_POLLING_ADAPTIVE,
                       bool wait = true, int32_t method = MPROC_START_SPAWN);

// Submits, with eight bytes of `value`, and waits; throws if the task fails.
FuturePtr Submit(const PoolPtr& pool, BenchFunction function, uint64_t value);
void AwaitValue(mproc_future_t* future);
void AwaitAll(const std::vector<mproc_future_t*>& futures);
// Throws unless the future's value is these eight bytes.
void CheckValue(mproc_future_t* future, uint64_t value);
// One call of noop from submit to result.
void CallNoop(const PoolPtr& pool, uint64_t value);

// Memory of this process.
double OwnRssBytes();
// Lets two threads without any pool use `each` nanoseconds of CPU time; the seconds that takes.
double Burners(int64_t each);

// The workloads. Each throws Failure.
void RunW1(const BenchSettings& settings);
void RunW2(const BenchSettings& settings);
void RunW3(const BenchSettings& settings);
void RunW4(const BenchSettings& settings);
void RunW5(const BenchSettings& settings);
void RunW6(const BenchSettings& settings);
void RunW7(const BenchSettings& settings);
void RunW8(const BenchSettings& settings);
void RunW9(const BenchSettings& settings);
void RunW10(const BenchSettings& settings);
void RunW11(const BenchSettings& settings);

}  // namespace mproc::cli

#endif
