// SPDX-License-Identifier: MIT
#include "platform/fork_mark.hh"

#include <errno.h>
#include <pthread.h>
#include <sys/mman.h>

#ifndef MADV_WIPEONFORK
#define MADV_WIPEONFORK 18
#endif

namespace mproc::platform {
namespace internal {
// A page for itself, past the data of the file, so that it is anonymous memory as the kernel demands.
constinit MarkPage g_mark{};
}  // namespace internal

namespace {

constexpr int kMostActions = 8;

// The epoch given out last in this line of forks.
constinit std::atomic<uint32_t> g_last_epoch{0};
constinit std::atomic<bool> g_kernel_marks{false};
constinit std::atomic<void (*)()> g_actions[kMostActions]{};

void InForkedChild() {
  // If the kernel marks, a handler that ran before this one may have asked, and made the new epoch.
  if (!g_kernel_marks.load(std::memory_order_relaxed)) {
    internal::g_mark.epoch.store(0, std::memory_order_relaxed);
  }
  ForkEpoch();
  for (auto& slot : g_actions) {
    if (auto* action = slot.load(std::memory_order_acquire)) action();
  }
}

constinit std::atomic<int> g_error{0};

// When the library is loaded: pthread_atfork waits for forks under way, so a thread that is there when a fork
// begins would be there for ever in the child.
[[gnu::constructor]] void StartWatching() {
  int error = pthread_atfork(nullptr, nullptr, InForkedChild);
  g_error.store(error, std::memory_order_relaxed);
  if (error != 0) return;
  bool wiped = madvise(&internal::g_mark, sizeof internal::g_mark, MADV_WIPEONFORK) == 0;
  g_kernel_marks.store(wiped, std::memory_order_relaxed);
  ForkEpoch();
}

}  // namespace

uint32_t internal::RenewEpoch() {
  // Threads of a new process may come here together. The count goes up before the mark is set, so that a
  // child that is forked in between cannot get its parent's number.
  uint32_t last = g_last_epoch.load(std::memory_order_relaxed);
  uint32_t next = last + 1;
  g_last_epoch.compare_exchange_strong(last, next, std::memory_order_relaxed);
  uint32_t unset = 0;
  if (g_mark.epoch.compare_exchange_strong(unset, next, std::memory_order_relaxed)) return next;
  return unset;
}

Status CheckForkWatch() {
  int error = g_error.load(std::memory_order_relaxed);
  return error == 0 ? Status() : Status::System("pthread_atfork", error);
}

bool KernelMarksForks() { return g_kernel_marks.load(std::memory_order_relaxed); }

bool OnForkInChild(void (*action)()) {
  for (auto& slot : g_actions) {
    void (*free)() = nullptr;
    if (slot.load() == action) return true;
    if (slot.compare_exchange_strong(free, action)) return true;
    if (free == action) return true;
  }
  return false;
}

}  // namespace mproc::platform
