// SPDX-License-Identifier: MIT
#include "cli/bench.hh"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <iostream>
#include <nlohmann/json.hpp>

namespace mproc::cli {

uint64_t Now() {
  auto since = std::chrono::steady_clock::now().time_since_epoch();
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(since).count());
}

double Percentile(std::vector<uint64_t>* values, double p) {
  if (values->empty()) return 0;
  std::sort(values->begin(), values->end());
  return static_cast<double>(
      (*values)[static_cast<size_t>(p * static_cast<double>(values->size() - 1) + 0.5)]);
}

void Emit(const char* workload, const std::string& metric, double value, const char* unit) {
  // Six digits are more than any measurement here is worth.
  double scale = value == 0 ? 1 : std::pow(10.0, 5 - std::floor(std::log10(std::fabs(value))));
  nlohmann::ordered_json line = {{"peer", "libmproc"},
                                 {"workload", workload},
                                 {"metric", metric},
                                 {"value", std::round(value * scale) / scale},
                                 {"unit", unit}};
  std::cout << line.dump() << std::endl;
}

PoolPtr StartBenchPool(const BenchSettings& settings, int workers, int polling, bool wait, int32_t method) {
  OptionsPtr options = MakeOptions();
  Check(mproc_pool_options_set_module(options.get(), settings.module.c_str()), "module");
  Check(mproc_pool_options_set_workers(options.get(), workers), "workers");
  Check(mproc_pool_options_set_polling(options.get(), polling), "polling");
  Check(mproc_pool_options_set_name(options.get(), "bench"), "name");
  Check(mproc_pool_options_set_start_method(options.get(), method), "start method");
  PoolPtr pool = MakePool(options);
  if (wait) Check(mproc_pool_wait_ready(pool.get(), kWaitLimit), "waiting for the workers");
  return pool;
}

FuturePtr Submit(const PoolPtr& pool, BenchFunction function, uint64_t value) {
  mproc_future_t* future = nullptr;
  mproc_status_t status = mproc_pool_submit(pool.get(), function, &value, sizeof value, kWaitLimit, &future);
  if (status != MPROC_OK) Check(status, "submitting a task");
  return FuturePtr(future);
}

void AwaitValue(mproc_future_t* future) {
  mproc_status_t status = mproc_future_wait(future, kWaitLimit);
  if (status == MPROC_OK) status = mproc_future_error(future);
  if (status != MPROC_OK) Check(status, "waiting for a task");
}

void AwaitAll(const std::vector<mproc_future_t*>& futures) {
  Check(mproc_future_wait_all(futures.data(), futures.size(), kWaitLimit), "waiting for all tasks");
}

void CheckValue(mproc_future_t* future, uint64_t value) {
  const void* data = nullptr;
  size_t size = 0;
  Check(mproc_future_result(future, &data, &size), "result of a task");
  if (size != sizeof value || std::memcmp(data, &value, sizeof value) != 0) {
    throw Failure(MPROC_ERROR_INTERNAL, "a task has the result of another");
  }
}

void CallNoop(const PoolPtr& pool, uint64_t value) {
  mproc_future_t* made = nullptr;
  mproc_status_t status = mproc_pool_apply(pool.get(), kNoop, &value, sizeof value, kWaitLimit, &made);
  if (status != MPROC_OK) Check(status, "calling noop");
  FuturePtr future(made);
  CheckValue(future.get(), value);
}

}  // namespace mproc::cli
