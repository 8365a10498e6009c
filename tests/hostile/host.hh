// SPDX-License-Identifier: MIT
// What the programs need to be hosts: pools with the hostile module, and rounds of decent tasks among which
// a worker goes astray.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "check.hh"
#include "module_calls.hh"

namespace hostile {

std::string Module();
using Change = std::function<void(mproc_pool_options_t*)>;
// A pool with the hostile module; null, with a failure noted, if it cannot be made or does not get ready.
mproc_pool_t* MakePool(int workers, const Change& change = {});
// The same without waiting for the workers, and without a failure.
mproc_status_t TryPool(int workers, mproc_pool_t** pool, const Change& change = {});

// Memory that the workers of this case write to.
Note& TheNote();

mproc_future_t* Submit(mproc_pool_t* pool, uint32_t function, const void* data, size_t size);
template <typename T>
mproc_future_t* Submit(mproc_pool_t* pool, uint32_t function, const T& value) {
  return Submit(pool, function, &value, sizeof value);
}
int64_t InfoOf(mproc_future_t* future, int32_t which);
int32_t OutcomeOf(mproc_future_t* future);
int64_t WorkerInfo(mproc_pool_t* pool, int32_t place, int32_t which);
uint64_t Statistic(mproc_pool_t* pool, int32_t which);
std::string MessageOf(mproc_future_t* future);

// One task that must end with a value; its bytes.
std::string ValueOf(mproc_pool_t* pool, uint32_t function, const void* data = nullptr, size_t size = 0);
template <typename T>
T ValueAs(mproc_pool_t* pool, uint32_t function, const void* data = nullptr, size_t size = 0) {
  std::string bytes = ValueOf(pool, function, data, size);
  T value{};
  CHECK_EQ(bytes.size(), sizeof value);
  if (bytes.size() == sizeof value) __builtin_memcpy(static_cast<void*>(&value), bytes.data(), sizeof value);
  return value;
}
About AboutWorker(mproc_pool_t* pool);

// Tasks of all sizes whose results are known.
class Batch {
 public:
  explicit Batch(mproc_pool_t* pool) : pool_(pool) {}
  ~Batch();
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;

  void AddEchoes(int count);
  // A task after which its worker counts as hostile.
  void AddHostile(uint32_t function, const void* data, size_t size);
  template <typename T>
  void AddHostile(uint32_t function, const T& value) {
    AddHostile(function, &value, sizeof value);
  }
  // Waits until all have ended; kills the hostile workers after `patience` and waits on.
  bool Wait(int patience_ms);
  // Every echo right, except what a hostile worker had in hand: that may be lost, failed or wrong.
  bool Right(const std::string& story);
  mproc_future_t* hostile_future() const { return hostile_.empty() ? nullptr : hostile_.back(); }

 private:
  mproc_pool_t* pool_;
  std::vector<mproc_future_t*> echoes_;
  std::vector<std::string> contents_;
  std::vector<mproc_future_t*> hostile_;
};

// Kills every worker that has confessed to be hostile and is still alive under its old number.
void KillHostile();
// Kills the worker in this place.
void KillWorker(mproc_pool_t* pool, int32_t place);
// The pool serves as many tasks as it has workers, all right, within a few seconds.
bool Serves(mproc_pool_t* pool);
// Ends a pool within a few seconds.
void Destroy(mproc_pool_t* pool);

}  // namespace hostile
