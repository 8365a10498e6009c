// SPDX-License-Identifier: MIT
// Barriers between processes: as many as there are parties wait for one another, round after round. It goes
// to tasks as an object (object.h).
#ifndef MPROC_BARRIER_H
#define MPROC_BARRIER_H

#include <mproc/export.h>
#include <mproc/status.h>

typedef struct mproc_barrier mproc_barrier_t;

// What the last one to come does before anybody goes on: 0, or another number, which breaks the barrier.
typedef int32_t (*mproc_barrier_cb)(void* user_data);

// Makes a barrier for 1 to 32767 parties in *barrier, to be destroyed by mproc_barrier_destroy. Returns OK,
// INVALID_ARGUMENT, OUT_OF_MEMORY, DESCRIPTOR_LIMIT, SYSTEM. Since 0.1.
MPROC_API mproc_status_t mproc_barrier_create(int64_t parties, mproc_barrier_t** barrier);

// Waits for the other parties, at most `limit` nanoseconds, whatever signals come, and writes to *index, if
// that is not null, a number of 0 to parties - 1, another one in each of them. `action`, if not null, is
// called in the one that comes last, on its thread; all parties give one, or none does. Returns OK;
// TIMED_OUT, which breaks the barrier for all; BARRIER_BROKEN; TASK (the action failed). Since 0.1.
MPROC_API mproc_status_t mproc_barrier_wait(mproc_barrier_t* barrier, int64_t limit, mproc_barrier_cb action,
                                            void* user_data, int64_t* index);

// Breaks the barrier: who waits, or comes, gets BARRIER_BROKEN until it is reset. Returns OK. Since 0.1.
MPROC_API mproc_status_t mproc_barrier_abort(mproc_barrier_t* barrier);

// Makes it whole again. Who waits now gets BARRIER_BROKEN. Returns OK. Since 0.1.
MPROC_API mproc_status_t mproc_barrier_reset(mproc_barrier_t* barrier);

// Writes the number of parties, of those who wait now, and whether it is broken (1, 0); each may be null.
// Returns OK. Since 0.1.
MPROC_API mproc_status_t mproc_barrier_state(mproc_barrier_t* barrier, int64_t* parties, int64_t* waiting,
                                             int32_t* broken);

// Destroys this handle; null is fine. Others keep theirs. Returns OK. Since 0.1.
MPROC_API mproc_status_t mproc_barrier_destroy(mproc_barrier_t* barrier);

#endif
