// SPDX-License-Identifier: MIT
// Events between processes: a flag to wait for. It goes to tasks as an object (object.h).
#ifndef MPROC_EVENT_H
#define MPROC_EVENT_H

#include <mproc/export.h>
#include <mproc/status.h>

typedef struct mproc_event mproc_event_t;

// Makes an event that is not set in *event, to be destroyed by mproc_event_destroy. Returns OK,
// INVALID_ARGUMENT, OUT_OF_MEMORY, DESCRIPTOR_LIMIT, SYSTEM. Since 0.1.
MPROC_API mproc_status_t mproc_event_create(mproc_event_t** event);

// Sets the flag. All who wait go on, even if it is cleared at once. Returns OK. Since 0.1.
MPROC_API mproc_status_t mproc_event_set(mproc_event_t* event);

// Clears it. Returns OK. Since 0.1.
MPROC_API mproc_status_t mproc_event_clear(mproc_event_t* event);

// Writes 1 to *set if the flag is set, else 0. Returns OK, INVALID_ARGUMENT. Since 0.1.
MPROC_API mproc_status_t mproc_event_is_set(mproc_event_t* event, int32_t* set);

// Waits at most `limit` nanoseconds until the flag is set. Returns OK, TIMED_OUT, INTERRUPTED. Since 0.1.
MPROC_API mproc_status_t mproc_event_wait(mproc_event_t* event, int64_t limit);

// Destroys this handle; null is fine. Others keep theirs. Returns OK. Since 0.1.
MPROC_API mproc_status_t mproc_event_destroy(mproc_event_t* event);

#endif
