// SPDX-License-Identifier: MIT
// W5: memory of idle workers. W7: memory of this process for tasks that wait behind two blocked workers.
#include <algorithm>
#include <chrono>
#include <fstream>
#include <sstream>
#include <thread>

#include "cli/bench.hh"

namespace mproc::cli {

namespace {

struct Memory {
  double uss = 0, pss = 0, rss = 0;  // KiB
};

// Sums what the kernel says about the mappings of a process, by its own sum where it has one.
Memory ReadMemory(const std::string& pid) {
  Memory memory;
  for (const char* name : {"/smaps_rollup", "/smaps"}) {
    std::ifstream file("/proc/" + pid + name);
    std::string line;
    while (std::getline(file, line)) {
      std::istringstream words(line);
      std::string key;
      double kib = 0;
      if (!(words >> key >> kib)) continue;
      if (key == "Rss:") memory.rss += kib;
      if (key == "Pss:") memory.pss += kib;
      if (key == "Private_Clean:" || key == "Private_Dirty:") memory.uss += kib;
    }
    if (memory.rss > 0) return memory;
  }
  throw std::runtime_error("the memory of process " + pid + " cannot be read in /proc");
}

int64_t WorkerPid(const PoolPtr& pool, int index) {
  int64_t pid = 0;
  Check(mproc_pool_worker_info(pool.get(), index, MPROC_WORKER_INFO_PID, &pid), "pid of a worker");
  return pid;
}

uint64_t Statistic(const PoolPtr& pool, int which) {
  uint64_t value = 0;
  Check(mproc_pool_statistic(pool.get(), which, &value), "statistic");
  return value;
}

// Occupies both workers for good.
std::vector<FuturePtr> BlockWorkers(const PoolPtr& pool) {
  std::vector<FuturePtr> blocks;
  uint64_t end = Now() + static_cast<uint64_t>(kWaitLimit);
  for (int i = 0; i < 2; i++) {
    blocks.push_back(Submit(pool, kBlock, 0));
    while (Statistic(pool, MPROC_POOL_STATISTIC_RUNNING) < blocks.size()) {
      if (Now() > end) throw Failure(MPROC_ERROR_TIMED_OUT, "the workers do not take tasks");
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
  return blocks;
}

void EndBlocked(PoolPtr pool) {
  Check(mproc_pool_terminate(pool.get()), "terminating the pool");
  Check(mproc_pool_join(pool.get(), kWaitLimit), "joining the pool");
}

void EmitQueuedTasks(const BenchSettings& settings) {
  PoolPtr pool = StartBenchPool(settings, 2);
  std::vector<FuturePtr> blocks = BlockWorkers(pool);
  uint64_t n = settings.Pick(200'000, 40'000);
  std::vector<FuturePtr> futures(n);  // the caller's own eight bytes a task are there before
  double before = OwnRssBytes();
  uint64_t start = Now();
  for (uint64_t i = 0; i < n; i++) futures[i] = Submit(pool, kNoop, i);
  double seconds = SecondsSince(start);
  Emit("W7", "bytes_per_task", (OwnRssBytes() - before) / static_cast<double>(n), "B");
  Emit("W7", "queued", static_cast<double>(Statistic(pool, MPROC_POOL_STATISTIC_QUEUED)), "count");
  Emit("W7", "submit_rate", static_cast<double>(n) / seconds, "tasks/s");
  EndBlocked(std::move(pool));
}

void EmitQueuedMap(const BenchSettings& settings) {
  PoolPtr pool = StartBenchPool(settings, 2);
  std::vector<FuturePtr> blocks = BlockWorkers(pool);
  uint64_t n = settings.Pick(200'000, 40'000), value = 1;
  std::vector<const void*> items(n, &value);
  std::vector<size_t> sizes(n, sizeof value);
  double before = OwnRssBytes();
  mproc_future_t* made = nullptr;
  Check(mproc_pool_map_async(pool.get(), kNoop, items.data(), sizes.data(), n, MPROC_CHUNK_AUTO,
                             MPROC_MAP_STOP_CHUNK, nullptr, nullptr, nullptr, &made),
        "mapping items");
  FuturePtr future(made);
  Emit("W7", "map_bytes_per_item", (OwnRssBytes() - before) / static_cast<double>(n), "B");
  EndBlocked(std::move(pool));
}

}  // namespace

double OwnRssBytes() { return ReadMemory("self").rss * 1024; }

void RunW5(const BenchSettings& settings) {
  constexpr int kWorkers = 2;
  PoolPtr pool = StartBenchPool(settings, kWorkers);
  for (uint64_t i = 0; i < 20; i++) {
    std::vector<FuturePtr> futures;
    for (uint64_t k = 0; k < kWorkers; k++) futures.push_back(Submit(pool, kNoop, k));
    for (const FuturePtr& future : futures) AwaitValue(future.get());
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  Memory sum;
  for (int i = 0; i < kWorkers; i++) {
    Memory memory = ReadMemory(std::to_string(WorkerPid(pool, i)));
    sum.uss += memory.uss;
    sum.pss += memory.pss;
  }
  int64_t launcher_pid = 0;
  Check(mproc_runtime_launcher_pid(&launcher_pid), "pid of the launcher");
  Emit("W5", "uss_per_worker", sum.uss / kWorkers, "KiB");
  Emit("W5", "pss_per_worker", sum.pss / kWorkers, "KiB");
  Emit("W5", "processes", kWorkers + (launcher_pid ? 1 : 0), "count");
  if (launcher_pid) Emit("W5", "launcher_uss", ReadMemory(std::to_string(launcher_pid)).uss, "KiB");
}

void RunW7(const BenchSettings& settings) {
  EmitQueuedMap(settings);  // first: it leaves less memory behind that the other could use again
  EmitQueuedTasks(settings);
}

}  // namespace mproc::cli
