// SPDX-License-Identifier: MIT
// Queues between processes. Any number of them put items in, any number take them out; items come out in the
// order in which they went in, each for one taker. An item is bytes of any size, and objects if the queue
// carries some. A queue goes to tasks and processes as an object (object.h). What was put is in memory that
// the processes share: it is there when put returns, and stays when the process that put it has ended.
//
// A process that is killed while it puts or takes loses at most the item that it was at, and holds nobody up.
// Memory grows with what is in the queue and goes back when it is found empty for a while, or by a call that
// does not wait.
#ifndef MPROC_QUEUE_H
#define MPROC_QUEUE_H

#include <mproc/message.h>

typedef struct mproc_queue mproc_queue_t;

// What a queue is for; the bits may be together.
enum mproc_queue_flags {
  MPROC_QUEUE_BYTES = 0,   // items are bytes
  MPROC_QUEUE_OBJECTS = 1  // items may have objects, too: the queue has two more descriptors
};

// Makes a queue in *queue, to be destroyed by mproc_queue_destroy. It is full with `most_items` items, or if
// another one would make it more than `most_bytes` bytes, 16 to 23 more than it has for each item; an item
// always goes into an empty queue. 0: no limit. `flags` are MPROC_QUEUE_. Any thread. Returns OK,
// INVALID_ARGUMENT (no such flag, queue is null), OUT_OF_MEMORY, DESCRIPTOR_LIMIT, SYSTEM. Since 0.1.
MPROC_API mproc_status_t mproc_queue_create(uint64_t most_items, uint64_t most_bytes, uint32_t flags,
                                            mproc_queue_t** queue);

// Puts an item with a copy of `size` bytes into the queue, waiting at most `limit` nanoseconds for room. Any
// thread of any process that has the queue. Returns OK; QUEUE_FULL (there was no room in time); INTERRUPTED
// (a signal was handled meanwhile); CLOSED; TOO_LARGE (2^40 bytes); OUT_OF_MEMORY; BUSY (a process has been
// stopped in the middle of such a call); PROTOCOL (a process has spoilt the memory of the queue); SYSTEM. If
// it does not return OK, nothing was put. Since 0.1.
MPROC_API mproc_status_t mproc_queue_put(mproc_queue_t* queue, const void* data, size_t size, int64_t limit);

// The same with `count` objects, at most 64, that go with the item; the caller may destroy its handles at any
// time. Returns as mproc_queue_put, and UNSUPPORTED (the queue carries no objects), QUEUE_FULL also if some
// hundred objects wait in it, INVALID_HANDLE, STALE_HANDLE. Since 0.1.
MPROC_API mproc_status_t mproc_queue_put_objects(mproc_queue_t* queue, const void* data, size_t size,
                                                 void* const* objects, size_t count, int64_t limit);

// Takes the first item out of the queue, waiting at most `limit` nanoseconds for one, and writes it to
// *message, to be destroyed by mproc_message_destroy. Any thread of any process that has the queue. Returns
// OK; QUEUE_EMPTY (none came in time); INTERRUPTED; CLOSED; OUT_OF_MEMORY (the item stays); BUSY, PROTOCOL,
// SYSTEM as mproc_queue_put; DESCRIPTOR_LIMIT and PROTOCOL if the item's objects were lost, and it with them.
// Since 0.1.
MPROC_API mproc_status_t mproc_queue_get(mproc_queue_t* queue, int64_t limit, mproc_message_t** message);

// The same into a buffer of `capacity` bytes; the number of bytes goes to *size. Returns as mproc_queue_get;
// BUFFER_TOO_SMALL: *size is what is needed, the item stays; WRONG_KIND: it has objects, and stays. Since
// 0.1.
MPROC_API mproc_status_t mproc_queue_get_into(mproc_queue_t* queue, void* buffer, size_t capacity,
                                              size_t* size, int64_t limit);

// Writes how many items are in the queue to *items, how many bytes they take to *bytes, how many were put and
// not reported done to *open, and for how many bytes there is memory now to *memory; each may be null. What
// is told may be over when it is read. Any thread. Returns OK, BUSY, PROTOCOL. Since 0.1.
MPROC_API mproc_status_t mproc_queue_count(mproc_queue_t* queue, uint64_t* items, uint64_t* bytes,
                                           uint64_t* open, uint64_t* memory);

// Reports that an item that was taken is done with, for mproc_queue_join. Any thread of any process that has
// the queue, also with a handle that was closed. Returns OK, RELEASED_TOO_OFTEN (as many reports as items
// were made), BUSY, PROTOCOL. Since 0.1.
MPROC_API mproc_status_t mproc_queue_task_done(mproc_queue_t* queue);

// Waits at most `limit` nanoseconds until all items that were put have been reported done. Returns OK,
// TIMED_OUT, INTERRUPTED, CLOSED, BUSY, PROTOCOL. Since 0.1.
MPROC_API mproc_status_t mproc_queue_join(mproc_queue_t* queue, int64_t limit);

// Closes this handle: it puts and takes no more, and calls of other threads that wait on it return CLOSED
// within a tenth of a second. What is in the queue stays, others go on. Again is fine. Any thread. Returns
// OK, INVALID_HANDLE, STALE_HANDLE. Since 0.1.
MPROC_API mproc_status_t mproc_queue_close(mproc_queue_t* queue);

// Destroys this handle; null is fine. The queue lives on where others have it, or as long as it is under way
// to them. Any thread. Returns OK, INVALID_HANDLE, STALE_HANDLE. Since 0.1.
MPROC_API mproc_status_t mproc_queue_destroy(mproc_queue_t* queue);

#endif
