// SPDX-License-Identifier: MIT
#include "platform/fork_lock.hh"

#include <pthread.h>

#include <atomic>

namespace mproc::platform {
namespace {

constexpr int kMost = 8;
std::mutex g_registry;  // held over forks, too
std::atomic<std::mutex*> g_held[kMost];
int g_count = 0;  // guarded by g_registry

void BeforeFork() {
  g_registry.lock();
  for (auto& mutex : g_held) {
    if (std::mutex* held = mutex.load()) held->lock();
  }
}

void AfterFork() {
  for (int i = kMost - 1; i >= 0; i--) {
    if (std::mutex* held = g_held[i].load()) held->unlock();
  }
  g_registry.unlock();
}

}  // namespace

void HoldOverFork(std::mutex* mutex) {
  std::lock_guard lock(g_registry);
  if (g_count == 0) pthread_atfork(BeforeFork, AfterFork, AfterFork);
  if (g_count < kMost) g_held[g_count++].store(mutex);
}

}  // namespace mproc::platform
