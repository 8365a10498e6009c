// SPDX-License-Identifier: MIT
//
// The list of mutexes has a lock of its own, which forks hold too: so a mutex is either in the list, and held
// by the thread that forks, or nobody has ever locked it. The handlers are registered when the library is
// loaded: pthread_atfork waits for forks under way, so a thread that is there when a fork begins would be
// there for ever in the child.
#include "platform/fork_lock.hh"

#include <pthread.h>

#include <type_traits>

namespace mproc::platform {

static_assert(std::is_trivially_destructible_v<ForkMutex>);

struct ForkMutexes {
  std::mutex lock;
  ForkMutex* first = nullptr;  // guarded by lock

  void Add(ForkMutex* mutex) {
    std::lock_guard guard(lock);
    if (mutex->known_.load(std::memory_order_relaxed)) return;
    mutex->next_ = first;
    first = mutex;
    mutex->known_.store(true, std::memory_order_release);
  }
  void Hold() {
    lock.lock();
    for (ForkMutex* mutex = first; mutex; mutex = mutex->next_) mutex->mutex_.lock();
  }
  void Release() {
    for (ForkMutex* mutex = first; mutex; mutex = mutex->next_) mutex->mutex_.unlock();
    lock.unlock();
  }
};

namespace {

constinit ForkMutexes g_mutexes;

[[gnu::constructor]] void RegisterHandlers() {
  auto release = [] { g_mutexes.Release(); };
  pthread_atfork([] { g_mutexes.Hold(); }, release, release);
}

}  // namespace

void ForkMutex::MakeKnown() { g_mutexes.Add(this); }

}  // namespace mproc::platform
