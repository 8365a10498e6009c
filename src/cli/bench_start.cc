// SPDX-License-Identifier: MIT
// W4: creating a pool, its first result, shutting it down; with a launcher that must be started, and with
// one that runs already; in every start method. Fork and threads have no launcher: with `_running` only the
// engine's thread is there already.
#include "cli/bench.hh"

namespace mproc::cli {

namespace {

// What noop of the module does, for workers that have this program's memory.
int32_t Noop(mproc_call_t* call, const void* input, size_t size, void*) {
  return mproc_call_reply(call, input, size);
}

PoolPtr StartPool(const BenchSettings& settings, int workers, int32_t method) {
  bool in_memory = method == MPROC_START_FORK || method == MPROC_START_THREADS;
  if (!in_memory) return StartBenchPool(settings, workers, MPROC_POLLING_ADAPTIVE, false, method);
  OptionsPtr options = MakeOptions();
  mproc_table_t* table = nullptr;
  Check(mproc_table_create(&table), "making a table");
  mproc_status_t status = mproc_table_add(table, kNoop, "noop", Noop, nullptr);
  if (status == MPROC_OK) status = mproc_pool_options_set_table(options.get(), table);
  mproc_table_destroy(table);
  Check(status, "filling the table");
  Check(mproc_pool_options_set_workers(options.get(), workers), "workers");
  Check(mproc_pool_options_set_start_method(options.get(), method), "start method");
  return MakePool(options);
}

void Finish() { Check(mproc_runtime_finish(kWaitLimit), "ending the runtime"); }

// Adds the times from the start to the first result, and to the end of the shutdown.
void StartOnce(const BenchSettings& settings, int workers, int32_t method, bool cold,
               std::vector<uint64_t>* first, std::vector<uint64_t>* total) {
  uint64_t start = Now();
  PoolPtr pool = StartPool(settings, workers, method);
  CallNoop(pool, start);
  first->push_back(Now() - start);
  Check(mproc_pool_close(pool.get()), "closing the pool");
  Check(mproc_pool_join(pool.get(), kWaitLimit), "joining the pool");
  pool.reset();
  if (cold) Finish();
  total->push_back(Now() - start);
}

void EmitStarts(const BenchSettings& settings, int32_t method, const std::string& suffix) {
  for (bool cold : {true, false}) {
    for (int workers : {2, 8}) {
      std::vector<uint64_t> first, total;
      Finish();
      if (!cold)
        StartOnce(settings, workers, method, false, &first, &total);  // leaves launcher and template running
      first.clear(), total.clear();
      for (uint64_t i = 0; i < settings.Pick(9, 3); i++)
        StartOnce(settings, workers, method, cold, &first, &total);
      std::string tail = "_" + std::to_string(workers) + (cold ? "" : "_running") + suffix;
      Emit("W4", "total" + tail, Percentile(&total, 0.5) / 1e6, "ms");
      Emit("W4", "first_result" + tail, Percentile(&first, 0.5) / 1e6, "ms");
    }
  }
  Finish();
}

void EmitMethods(const BenchSettings& settings, const std::string& suffix) {
  EmitStarts(settings, MPROC_START_SPAWN, suffix);
  EmitStarts(settings, MPROC_START_FORKSERVER, "_forkserver" + suffix);
  EmitStarts(settings, MPROC_START_FORK, "_fork" + suffix);
  EmitStarts(settings, MPROC_START_THREADS, "_threads" + suffix);
}

}  // namespace

void RunW4(const BenchSettings& settings) {
  EmitMethods(settings, "");
  if (!settings.host_mib) return;
  std::vector<char> touched(settings.host_mib << 20, 1);
  EmitMethods(settings,
              settings.host_mib == 1024 ? "_1GiB" : "_" + std::to_string(settings.host_mib) + "MiB");
  if (touched.back() != 1) throw Failure(MPROC_ERROR_INTERNAL, "memory changed");
}

}  // namespace mproc::cli
