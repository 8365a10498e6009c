// SPDX-License-Identifier: MIT
// One of each kind of object that processes share.
#pragma once

#include "calls.hh"
#include "check.hh"

namespace hostile {

struct SyncObjects {
  mproc_lock_t* lock = nullptr;
  mproc_semaphore_t* semaphore = nullptr;
  mproc_event_t* event = nullptr;
  mproc_condition_t* condition = nullptr;
  mproc_barrier_t* barrier = nullptr;

  void Make() {
    CHECK_OK(mproc_lock_create(MPROC_LOCK_PLAIN, &lock));
    CHECK_OK(mproc_semaphore_create(1, 0, &semaphore));
    CHECK_OK(mproc_event_create(&event));
    CHECK_OK(mproc_condition_create(nullptr, &condition));
    CHECK_OK(mproc_barrier_create(2, &barrier));
  }
  // Null for kinds of other handles.
  void* Of(Kind kind) const {
    switch (kind) {
      case Kind::kLock:
        return lock;
      case Kind::kSemaphore:
        return semaphore;
      case Kind::kEvent:
        return event;
      case Kind::kCondition:
        return condition;
      case Kind::kBarrier:
        return barrier;
      default:
        return nullptr;
    }
  }
  void StillWell() const {
    int64_t value = 0;
    CHECK_OK(mproc_lock_acquire(lock, 0));
    CHECK_OK(mproc_lock_release(lock));
    CHECK_OK(mproc_semaphore_value(semaphore, &value));
    CHECK_EQ(value, 1);
    CHECK_STATUS(mproc_event_wait(event, 0), MPROC_ERROR_TIMED_OUT);
    CHECK_OK(mproc_condition_acquire(condition, 0));
    CHECK_OK(mproc_condition_release(condition));
    CHECK_OK(mproc_barrier_state(barrier, &value, nullptr, nullptr));
    CHECK_EQ(value, 2);
  }
  void Drop() {
    CHECK_OK(mproc_lock_destroy(lock));
    CHECK_OK(mproc_semaphore_destroy(semaphore));
    CHECK_OK(mproc_event_destroy(event));
    CHECK_OK(mproc_condition_destroy(condition));
    CHECK_OK(mproc_barrier_destroy(barrier));
  }
};

}  // namespace hostile
