// SPDX-License-Identifier: MIT
// Waiting for many things at once: connections, and any descriptors, as the sentinels of processes, sockets,
// listeners and pipes.
#ifndef MPROC_WAIT_H
#define MPROC_WAIT_H

#include <mproc/connection.h>

// Waits at most `limit` nanoseconds until one of `connection_count` connections or of `fd_count` descriptors
// has something to receive or is at its end, and tells which do: ready[i] is 1 or 0 for connections[i], and
// ready[connection_count + i] for fds[i]; *ready_count is the number of ones. All that are ready are told,
// the same one may be there twice, and nothing is taken from any. `ready` has room for all of them;
// `ready_count` may be null, and so may a list whose count is 0. Waiting for nothing at all lasts to the
// limit. Any thread. Returns OK; TIMED_OUT; INTERRUPTED; INVALID_ARGUMENT (a null pointer, a descriptor that
// is negative or not open, more of them than descriptors may be open); INVALID_HANDLE, STALE_HANDLE, CLOSED,
// PROTOCOL and BAD_LENGTH for a connection, as mproc_connection_poll. The message of an error tells the
// index. Since 0.1.
MPROC_API mproc_status_t mproc_wait(mproc_connection_t* const* connections, size_t connection_count,
                                    const int32_t* fds, size_t fd_count, int64_t limit, uint8_t* ready,
                                    size_t* ready_count);

#endif
