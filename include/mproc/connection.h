// SPDX-License-Identifier: MIT
// Connections: messages, one after another, between two processes. Messages keep their borders, an empty one
// is one, too. A connection is an object (object.h): it goes to tasks, to processes and through other
// connections, and both sides have the same one then. On the wire it is what Python's
// multiprocessing.connection is with send_bytes and recv_bytes.
//
// Threads of one process may use a connection at the same time: one sends, one receives, the others wait for
// their turn. Processes that have the same end need a lock of their own, or their messages mix. No call
// raises SIGPIPE. A handle that is destroyed closes the connection if nobody else has that end. Where an end
// is passed on, what was received of it here, a message in part or one that was kept, stays here. A child
// that the host forks gets no ends.
#ifndef MPROC_CONNECTION_H
#define MPROC_CONNECTION_H

#include <mproc/export.h>
#include <mproc/message.h>
#include <mproc/status.h>

typedef struct mproc_connection mproc_connection_t;

// Makes a pipe and writes handles on its ends to *first and *second, each to be destroyed by
// mproc_connection_destroy. If `duplex` is 0 the first end only receives and the second only sends, else both
// do both. Pass one end on and destroy it here: as long as this process has it, too, the other end sees no
// end of file. Any thread. Returns OK, INVALID_ARGUMENT, OUT_OF_MEMORY, DESCRIPTOR_LIMIT, SYSTEM. Since 0.1.
MPROC_API mproc_status_t mproc_pipe_create(int32_t duplex, mproc_connection_t** first,
                                           mproc_connection_t** second);

// Makes a connection of a stream socket that is connected, local or TCP, and writes its handle to
// *connection. It has a duplicate of `fd`, which stays the caller's. Any thread. Returns OK, INVALID_ARGUMENT
// (fd is no open descriptor), PROTOCOL (it is no such socket), OUT_OF_MEMORY, DESCRIPTOR_LIMIT, SYSTEM. Since
// 0.1.
MPROC_API mproc_status_t mproc_connection_adopt(int32_t fd, mproc_connection_t** connection);

// Sends a message of `size` bytes, waiting at most `limit` nanoseconds for room. An error before the first
// byte is on its way has sent nothing, and a signal ends only a wait before that. If the limit passes later,
// in the middle of a message that did not fit, nothing more can be sent over the connection and the other
// side finds the message cut off: a limit is for giving up, not for asking often. Any thread. Returns OK;
// TIMED_OUT; INTERRUPTED; BROKEN_PIPE (nobody has the other end to read from it, or an earlier call gave up
// in the middle); CLOSED (this end of the pipe only receives); INVALID_ARGUMENT; SYSTEM. Since 0.1.
MPROC_API mproc_status_t mproc_connection_send(mproc_connection_t* connection, const void* data, size_t size,
                                               int64_t limit);

// The same with `count` objects, 1 to 64, which the receiver gets with mproc_connection_receive_objects. The
// handles stay the caller's. A message that nobody receives keeps its objects alive. Only over pipes and
// local sockets. Returns as mproc_connection_send, and INVALID_HANDLE and STALE_HANDLE for the objects,
// UNSUPPORTED (a TCP connection), OUT_OF_MEMORY. Since 0.1.
MPROC_API mproc_status_t mproc_connection_send_objects(mproc_connection_t* connection, const void* data,
                                                       size_t size, void* const* objects, size_t count,
                                                       int64_t limit);

// Receives a message, waiting at most `limit` nanoseconds, and writes its handle to *message, to be destroyed
// by mproc_message_destroy. What came of a message before a limit or a signal ended the call is kept, and the
// next call goes on with it. Memory grows with the bytes that come, not with what the sender promises. Of a
// message with objects it gives the bare bytes, and drops the objects. Any thread. Returns OK; TIMED_OUT;
// INTERRUPTED (a signal was handled meanwhile); END_OF_FILE (nobody has the other end to send); PROTOCOL (it
// ended in the middle of a message) and BAD_LENGTH (a length that is negative or above the limit), after
// which nothing can be received any more; CLOSED (this end of the pipe only sends); INVALID_ARGUMENT;
// OUT_OF_MEMORY and SYSTEM, after which one can try again. Since 0.1.
MPROC_API mproc_status_t mproc_connection_receive(mproc_connection_t* connection, int64_t limit,
                                                  mproc_message_t** message);

// The same for a message that was sent with objects, and for those only. Returns as
// mproc_connection_receive, and WRONG_KIND (a message without objects), PROTOCOL (its objects are not what it
// says) and DESCRIPTOR_LIMIT (there was no room for them); after these three the message is still to be
// received by another call. Since 0.1.
MPROC_API mproc_status_t mproc_connection_receive_objects(mproc_connection_t* connection, int64_t limit,
                                                          mproc_message_t** message);

// The same into `buffer`, which has room for `capacity` bytes, with the size of the message in *size, which
// may be null. Returns as mproc_connection_receive, and BUFFER_TOO_SMALL: *size tells what is needed, and the
// next call that receives gets the message. Since 0.1.
MPROC_API mproc_status_t mproc_connection_receive_into(mproc_connection_t* connection, void* buffer,
                                                       size_t capacity, size_t* size, int64_t limit);

// Waits at most `limit` nanoseconds until there is something to receive: a message, or the beginning of one,
// or the end of file. Takes nothing. Any thread. Returns OK; TIMED_OUT; INTERRUPTED; CLOSED (this end of the
// pipe only sends); PROTOCOL, BAD_LENGTH (nothing can be received any more). Since 0.1.
MPROC_API mproc_status_t mproc_connection_poll(mproc_connection_t* connection, int64_t limit);

// Sets how many bytes a message may have that is received here from now on; there is no limit by default.
// It is this handle's and does not go with a connection that is passed on. Any thread. Returns OK. Since 0.1.
MPROC_API mproc_status_t mproc_connection_set_limit(mproc_connection_t* connection, uint64_t most);

// Writes the connection's descriptor to *fd, for a poll loop of one's own; it is readable when there is
// something to receive, unless a message was kept after BUFFER_TOO_SMALL and the like. It is the
// connection's: do not close it, and neither read nor write. Any thread. Returns OK, INVALID_ARGUMENT. Since
// 0.1.
MPROC_API mproc_status_t mproc_connection_fd(mproc_connection_t* connection, int32_t* fd);

// Destroys this handle; null is fine. A call that another thread is in goes on to its end. Returns OK. Since
// 0.1.
MPROC_API mproc_status_t mproc_connection_destroy(mproc_connection_t* connection);

#endif
