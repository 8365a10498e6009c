// SPDX-License-Identifier: MIT
// Conditions between processes: wait, with a lock given back meanwhile, until somebody who has the lock
// notifies. It goes to tasks as an object (object.h), and its lock with it.
#ifndef MPROC_CONDITION_H
#define MPROC_CONDITION_H

#include <mproc/lock.h>

typedef struct mproc_condition mproc_condition_t;

// Tells whether what is waited for is so: 1 yes, 0 no; -1: neither, do not wait on. The lock is held.
typedef int32_t (*mproc_predicate_cb)(void* user_data);

// Makes a condition with `lock`, or, if that is null, with a recursive lock of its own, in *condition, to be
// destroyed by mproc_condition_destroy. The lock can be destroyed before. Returns OK, INVALID_ARGUMENT
// (condition is null), INVALID_HANDLE, STALE_HANDLE, OUT_OF_MEMORY, DESCRIPTOR_LIMIT, SYSTEM. Since 0.1.
MPROC_API mproc_status_t mproc_condition_create(mproc_lock_t* lock, mproc_condition_t** condition);

// Acquires and releases the condition's lock, as mproc_lock_acquire and mproc_lock_release do. Since 0.1.
MPROC_API mproc_status_t mproc_condition_acquire(mproc_condition_t* condition, int64_t limit);
MPROC_API mproc_status_t mproc_condition_release(mproc_condition_t* condition);

// Releases the lock, all levels of it, waits at most `limit` nanoseconds to be notified, and acquires it
// again, however long that takes. Returns, with the lock held, OK (notified), TIMED_OUT, INTERRUPTED,
// OWNER_DIED (as mproc_lock_acquire); NOT_HOLDER, if the caller did not have the lock; TOO_LARGE, if 1000
// wait already. Since 0.1.
MPROC_API mproc_status_t mproc_condition_wait(mproc_condition_t* condition, int64_t limit);

// Waits until `predicate` says 1: it is asked before, and after each notification; `limit` is for all
// together. Not while the library holds anything: the predicate may use any call. Returns as
// mproc_condition_wait, and CANCELLED (the predicate said -1), INVALID_ARGUMENT (it is null). Since 0.1.
MPROC_API mproc_status_t mproc_condition_wait_for(mproc_condition_t* condition, mproc_predicate_cb predicate,
                                                  void* user_data, int64_t limit);

// Lets those `count` go that have waited longest, or as many as there are; INT64_MAX: all. Nothing is kept
// for those who wait later. Returns OK, INVALID_ARGUMENT (count is not positive), NOT_HOLDER (the caller does
// not have the lock). Since 0.1.
MPROC_API mproc_status_t mproc_condition_notify(mproc_condition_t* condition, int64_t count);

// Destroys this handle; null is fine. Others keep theirs. Returns OK. Since 0.1.
MPROC_API mproc_status_t mproc_condition_destroy(mproc_condition_t* condition);

#endif
