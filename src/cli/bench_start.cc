// SPDX-License-Identifier: MIT
// W4: creating a pool, its first result, shutting it down; with a launcher that must be started, and with
// one that runs already.
#include "cli/bench.hh"

namespace mproc::cli {

namespace {

void Finish() { Check(mproc_runtime_finish(kWaitLimit), "ending the runtime"); }

// Adds the times from the start to the first result, and to the end of the shutdown.
void StartOnce(const BenchSettings& settings, int workers, bool cold, std::vector<uint64_t>* first,
               std::vector<uint64_t>* total) {
  uint64_t start = Now();
  PoolPtr pool = StartBenchPool(settings, workers, MPROC_POLLING_ADAPTIVE, false);
  CallNoop(pool, start);
  first->push_back(Now() - start);
  Check(mproc_pool_close(pool.get()), "closing the pool");
  Check(mproc_pool_join(pool.get(), kWaitLimit), "joining the pool");
  pool.reset();
  if (cold) Finish();
  total->push_back(Now() - start);
}

void EmitStarts(const BenchSettings& settings, const std::string& suffix) {
  for (bool cold : {true, false}) {
    for (int workers : {2, 8}) {
      std::vector<uint64_t> first, total;
      Finish();
      if (!cold) StartOnce(settings, workers, false, &first, &total);  // leaves the launcher running
      first.clear(), total.clear();
      for (uint64_t i = 0; i < settings.Pick(9, 3); i++) StartOnce(settings, workers, cold, &first, &total);
      std::string tail = "_" + std::to_string(workers) + (cold ? "" : "_running") + suffix;
      Emit("W4", "total" + tail, Percentile(&total, 0.5) / 1e6, "ms");
      Emit("W4", "first_result" + tail, Percentile(&first, 0.5) / 1e6, "ms");
    }
  }
  Finish();
}

}  // namespace

void RunW4(const BenchSettings& settings) {
  EmitStarts(settings, "");
  if (!settings.host_mib) return;
  std::vector<char> touched(settings.host_mib << 20, 1);
  EmitStarts(settings, settings.host_mib == 1024 ? "_1GiB" : "_" + std::to_string(settings.host_mib) + "MiB");
  if (touched.back() != 1) throw Failure(MPROC_ERROR_INTERNAL, "memory changed");
}

}  // namespace mproc::cli
