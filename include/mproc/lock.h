// SPDX-License-Identifier: MIT
// Locks between processes. A lock lies in shared memory without a name; it goes to tasks as an object
// (object.h) and is the same lock there. To take and give back one that nobody else wants needs no system
// call.
#ifndef MPROC_LOCK_H
#define MPROC_LOCK_H

#include <mproc/export.h>
#include <mproc/status.h>

typedef struct mproc_lock mproc_lock_t;

// What kind of lock it is; the two bits may be together.
enum mproc_lock_kind {
  MPROC_LOCK_PLAIN = 0,      // anybody may release it; if its holder dies the others wait until somebody does
  MPROC_LOCK_RECURSIVE = 1,  // its holder may acquire it again; only the holder may release it, as often
  MPROC_LOCK_ROBUST = 2      // only its holder may release it; if that dies, the next one gets it and is told
};

// Makes a lock that nobody has, of a kind MPROC_LOCK_, in *lock, to be destroyed by mproc_lock_destroy.
// Returns OK, INVALID_ARGUMENT (no such kind, lock is null), OUT_OF_MEMORY, DESCRIPTOR_LIMIT, SYSTEM. Since
// 0.1.
MPROC_API mproc_status_t mproc_lock_create(int32_t kind, mproc_lock_t** lock);

// Takes the lock for this thread, waiting at most `limit` nanoseconds. Returns OK; OWNER_DIED if the lock is
// a robust one and was taken from a thread that had ended: it is held then, too, but what it guards may be
// half done; TIMED_OUT; INTERRUPTED (a signal was handled meanwhile); TOO_DEEP (2^31 levels). Since 0.1.
MPROC_API mproc_status_t mproc_lock_acquire(mproc_lock_t* lock, int64_t limit);

// Gives it back; of a recursive one, one level. Returns OK, RELEASED_TOO_OFTEN (nobody has it), NOT_HOLDER
// (another thread has it, and it is recursive or robust). Since 0.1.
MPROC_API mproc_status_t mproc_lock_release(mproc_lock_t* lock);

// Tells who has the lock: the process in *pid and its thread, as the system numbers them, in *tid, and for
// how many nanoseconds, to some milliseconds, in *held; each may be null. 0 everywhere: nobody. A pid of 0
// with a tid: it is being acquired. What is told may be over when it is read. Returns OK. Since 0.1.
MPROC_API mproc_status_t mproc_lock_holder(mproc_lock_t* lock, int64_t* pid, int64_t* tid, int64_t* held);

// Destroys this handle; null is fine. The lock lives on where others have it, held or not. Returns OK. Since
// 0.1.
MPROC_API mproc_status_t mproc_lock_destroy(mproc_lock_t* lock);

#endif
