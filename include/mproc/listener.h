// SPDX-License-Identifier: MIT
// Listeners and those who connect to them, as Python's multiprocessing.connection has Listener and Client;
// either side may be Python. An address is "unix:/path", "abstract:name" (a local name without a file),
// "tcp:host:port" or "tcp:[::1]:port". With a key, both sides prove that they know it before anything else;
// what follows is neither encrypted nor signed.
#ifndef MPROC_LISTENER_H
#define MPROC_LISTENER_H

#include <mproc/connection.h>

typedef struct mproc_listener mproc_listener_t;

// How the key is proven.
enum mproc_key_option {
  MPROC_KEY_DEFAULT = 0,
  MPROC_KEY_NO_MD5 = 1,     // refuses MD5, the only digest of Python before 3.12
  MPROC_KEY_OF_PROCESS = 2  // the key is mproc_process_authkey's; null is given
};

// Listens at `address`, where at most `backlog` wait to be accepted, and writes a handle to *listener, to be
// destroyed by mproc_listener_destroy. A key of `key_size` bytes is copied; null: whoever connects is
// accepted. `options` is a sum of MPROC_KEY_. Port 0 is any free one. Any thread. Returns OK;
// INVALID_ARGUMENT (the address, a backlog below 1, an empty key); EXISTS (the address is taken); NOT_FOUND
// (no such folder or host); UNSUPPORTED (a key, and there is no libcrypto); OUT_OF_MEMORY, DESCRIPTOR_LIMIT,
// SYSTEM. Since 0.1.
MPROC_API mproc_status_t mproc_listener_create(const char* address, int32_t backlog, const void* key,
                                               size_t key_size, int32_t options, mproc_listener_t** listener);

// Waits at most `limit` nanoseconds for the next one who connects, and writes a connection to *connection, to
// be destroyed by mproc_connection_destroy. With a key, only who has proven to know it; the others are let go
// and counted, and this call waits on. Any number of them may be at it, none keeps another one waiting. One
// thread accepts at a time, the others wait for their turn. Returns OK, TIMED_OUT, INTERRUPTED,
// INVALID_ARGUMENT, DESCRIPTOR_LIMIT, OUT_OF_MEMORY, SYSTEM; one can call again after each. Since 0.1.
MPROC_API mproc_status_t mproc_listener_accept(mproc_listener_t* listener, int64_t limit,
                                               mproc_connection_t** connection);

// Writes where it listens to *address, with the real port; the text lives as long as the handle. Any thread.
// Returns OK, INVALID_ARGUMENT. Since 0.1.
MPROC_API mproc_status_t mproc_listener_address(mproc_listener_t* listener, const char** address);

// Writes its descriptor to *fd, which is readable when somebody connects, for a poll loop of one's own. It
// tells nothing of proofs under way: with a key, let a thread of its own accept instead. It is the
// listener's. Any thread. Returns OK, INVALID_ARGUMENT. Since 0.1.
MPROC_API mproc_status_t mproc_listener_fd(mproc_listener_t* listener, int32_t* fd);

// Writes how many were let go because they did not prove that they know the key to *count. Any thread.
// Returns OK, INVALID_ARGUMENT. Since 0.1.
MPROC_API mproc_status_t mproc_listener_refused(mproc_listener_t* listener, uint64_t* count);

// Sets how many nanoseconds those who connect from now on have for their proof; 10 s by default. Any thread.
// Returns OK, INVALID_ARGUMENT (not above 0). Since 0.1.
MPROC_API mproc_status_t mproc_listener_set_proof_limit(mproc_listener_t* listener, int64_t limit);

// Ends listening and removes the file of a local address if it is still its own; null is fine. Connections
// that were accepted live on. A call that another thread is in goes on to its end. Returns OK. Since 0.1.
MPROC_API mproc_status_t mproc_listener_destroy(mproc_listener_t* listener);

// Connects to who listens at `address`, proves the key and has it proven, within `limit` nanoseconds, and
// writes a connection to *connection, to be destroyed by mproc_connection_destroy. Key and options are those
// of mproc_listener_create. The limit does not hold for looking up the name of a host. Any thread. Returns
// OK; TIMED_OUT; INTERRUPTED; INVALID_ARGUMENT; NOT_FOUND (nobody listens there); AUTHENTICATION (one of the
// two does not know the other's key); UNSUPPORTED; OUT_OF_MEMORY, DESCRIPTOR_LIMIT, SYSTEM. Since 0.1.
MPROC_API mproc_status_t mproc_client_connect(const char* address, const void* key, size_t key_size,
                                              int32_t options, int64_t limit,
                                              mproc_connection_t** connection);

#endif
