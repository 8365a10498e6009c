// SPDX-License-Identifier: MIT
// Messages: what was received from a connection or taken from a queue. A message has bytes, and objects if
// its sender attached some.
#ifndef MPROC_MESSAGE_H
#define MPROC_MESSAGE_H

#include <mproc/export.h>
#include <mproc/status.h>

typedef struct mproc_message mproc_message_t;

// Writes where the bytes of a message are to *data and their number to *size; each may be null. They are the
// message's until it is destroyed, and may be changed. *data is not null, even if there are none. Any thread.
// Returns OK, INVALID_HANDLE, STALE_HANDLE. Since 0.1.
MPROC_API mproc_status_t mproc_message_data(mproc_message_t* message, void** data, size_t* size);

// Takes the object at `index`, from 0, out of a message, and writes a handle on it to *object: an
// mproc_lock_t* or whatever it is, to be destroyed by the call for its kind, or by mproc_object_destroy.
// Any thread. Returns OK; END (so many there are not); NOT_FOUND (it was taken before); INVALID_ARGUMENT;
// PROTOCOL (the sender sent no object); OUT_OF_MEMORY, SYSTEM; then the object is lost. Since 0.1.
MPROC_API mproc_status_t mproc_message_object(mproc_message_t* message, size_t index, void** object);

// Destroys a message with its bytes and the objects that nobody has taken; null is fine. Any thread. Returns
// OK, INVALID_HANDLE, STALE_HANDLE. Since 0.1.
MPROC_API mproc_status_t mproc_message_destroy(mproc_message_t* message);

#endif
