// SPDX-License-Identifier: MIT
// Semaphores between processes: a number to take from and to give back to. Like a lock (lock.h) it goes to
// tasks as an object (object.h).
#ifndef MPROC_SEMAPHORE_H
#define MPROC_SEMAPHORE_H

#include <mproc/export.h>
#include <mproc/status.h>

typedef struct mproc_semaphore mproc_semaphore_t;

// Makes a semaphore of a value of 0 to 2^31 - 1 in *semaphore, to be destroyed by mproc_semaphore_destroy.
// Its value never exceeds `bound`, which is at least the value; 0 is no bound. Returns OK, INVALID_ARGUMENT
// (the value or the bound is out of range, semaphore is null), OUT_OF_MEMORY, DESCRIPTOR_LIMIT, SYSTEM. Since
// 0.1.
MPROC_API mproc_status_t mproc_semaphore_create(int64_t value, int64_t bound, mproc_semaphore_t** semaphore);

// Takes one, waiting at most `limit` nanoseconds until there is one. Returns OK, TIMED_OUT, INTERRUPTED.
// Since 0.1.
MPROC_API mproc_status_t mproc_semaphore_acquire(mproc_semaphore_t* semaphore, int64_t limit);

// Gives back `count`, by whoever it was taken. Returns OK, INVALID_ARGUMENT (count is not positive),
// RELEASED_TOO_OFTEN (that would exceed the bound, or 2^31 - 1; nothing was given). Since 0.1.
MPROC_API mproc_status_t mproc_semaphore_release(mproc_semaphore_t* semaphore, int64_t count);

// Writes how many could be taken now to *value. Returns OK, INVALID_ARGUMENT. Since 0.1.
MPROC_API mproc_status_t mproc_semaphore_value(mproc_semaphore_t* semaphore, int64_t* value);

// Destroys this handle; null is fine. Others keep theirs. Returns OK. Since 0.1.
MPROC_API mproc_status_t mproc_semaphore_destroy(mproc_semaphore_t* semaphore);

#endif
