// SPDX-License-Identifier: MIT
// W10: locks that nobody else wants, and locks that two processes want all the time.
#include <algorithm>

#include "cli/crew.hh"

namespace mproc::cli {

namespace {

constexpr int kRounds = 5;

// Nanoseconds of one call, the least of some rounds: what disturbs only adds.
template <typename Call>
void EmitCall(const BenchSettings& settings, const char* metric, Call&& call) {
  uint64_t times = settings.Pick(1'000'000, 300'000);
  double least = 1e9;
  for (int round = 0; round < kRounds; round++) {
    uint64_t begin = Now();
    for (uint64_t i = 0; i < times; i++) call();
    least = std::min(least, static_cast<double>(Now() - begin) / static_cast<double>(times));
  }
  Emit("W10", metric, least, "ns");
}

LockPtr MakeLock(int32_t kind) {
  mproc_lock_t* made = nullptr;
  Check(mproc_lock_create(kind, &made), "making a lock");
  return LockPtr(made);
}

void EmitLock(const BenchSettings& settings, const char* metric, int32_t kind) {
  LockPtr lock = MakeLock(kind);
  EmitCall(settings, metric, [&] {
    mproc_lock_acquire(lock.get(), MPROC_FOREVER);
    mproc_lock_release(lock.get());
  });
}

// Two processes that acquire and release as fast as they can: of all acquisitions.
void EmitContended(const BenchSettings& settings, const char* metric, int32_t kind) {
  uint64_t times = settings.Pick(1'000'000, 200'000);
  LockPtr lock = MakeLock(kind);
  Crew crew(settings);
  for (int i = 0; i < 2; i++) crew.Add(kHandOver, {times, 0}, lock.get());
  uint64_t begin = crew.Begin();
  crew.AwaitThrough(2);
  Emit("W10", metric, static_cast<double>(Now() - begin) / static_cast<double>(2 * times), "ns");
}

}  // namespace

void RunW10(const BenchSettings& settings) {
  EmitLock(settings, "lock", MPROC_LOCK_PLAIN);
  EmitLock(settings, "recursive", MPROC_LOCK_RECURSIVE);
  EmitLock(settings, "robust", MPROC_LOCK_ROBUST);
  mproc_semaphore_t* made = nullptr;
  Check(mproc_semaphore_create(1, 0, &made), "making a semaphore");
  SemaphorePtr semaphore(made);
  EmitCall(settings, "semaphore", [&] {
    mproc_semaphore_acquire(made, MPROC_FOREVER);
    mproc_semaphore_release(made, 1);
  });
  EmitContended(settings, "contended_lock", MPROC_LOCK_PLAIN);
  EmitContended(settings, "contended_robust", MPROC_LOCK_ROBUST);
}

}  // namespace mproc::cli
