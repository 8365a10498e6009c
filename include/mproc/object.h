// SPDX-License-Identifier: MIT
// Objects: what processes share, to keep apart, to meet and to talk. Locks, semaphores, events, conditions,
// barriers, memory, segments, arrays, queues and connections are objects; where a call takes objects it takes
// handles of any of these. An object has no name and lies in memory of its own; a task that it was passed to
// has the same one, and it is gone with the last process that has it, however that ended. No call leaves it
// in a state from which the others could not go on, wherever a process is killed.
#ifndef MPROC_OBJECT_H
#define MPROC_OBJECT_H

#include <mproc/bound.h>
#include <mproc/call.h>

// What an object is. Numbers never change.
enum mproc_object_kind {
  MPROC_OBJECT_LOCK = 1,
  MPROC_OBJECT_SEMAPHORE = 2,
  MPROC_OBJECT_EVENT = 3,
  MPROC_OBJECT_CONDITION = 4,
  MPROC_OBJECT_BARRIER = 5,
  MPROC_OBJECT_MEMORY = 6,
  MPROC_OBJECT_ARRAY = 7,
  MPROC_OBJECT_QUEUE = 8,
  MPROC_OBJECT_CONNECTION = 9,
  MPROC_OBJECT_SEGMENT = 10
};

// Writes the kind of an object, MPROC_OBJECT_, to *kind. Any thread. Returns OK, INVALID_ARGUMENT (kind is
// null), INVALID_HANDLE, STALE_HANDLE. Since 0.1.
MPROC_API mproc_status_t mproc_object_kind(const void* object, int32_t* kind);

// Destroys a handle on an object of any kind, as the call for its kind does; null is fine. Any thread.
// Returns OK, INVALID_HANDLE, STALE_HANDLE. Since 0.1.
MPROC_API mproc_status_t mproc_object_destroy(void* object);

// Binds `count` objects, at most 64, and a copy of `size` bytes to a function, and writes an id that stands
// for all to *bound_id, as mproc_pool_bind does. The function gets the objects with mproc_call_object, by
// their places in `objects`. The caller may destroy its handles at any time. Each object takes a descriptor
// or two in each worker that has run the function. Any thread. Returns as mproc_pool_bind, and INVALID_HANDLE
// and STALE_HANDLE for the objects, too; INVALID_ARGUMENT (objects is null, count is 0 or more than 64).
// Since 0.1.
MPROC_API mproc_status_t mproc_pool_bind_objects(mproc_pool_t* pool, uint32_t function_id, const void* data,
                                                 size_t size, void* const* objects, size_t count,
                                                 uint32_t* bound_id);

// Writes a handle on the object at `index`, from 0, of those that were bound to the running function to
// *object: an mproc_lock_t* or whatever it is. It is the worker's, which destroys it when the function is
// unbound: keep it no longer than that, and do not destroy it. Only from a task's function, on its thread.
// Returns OK, END (so many there are not), INVALID_ARGUMENT, OUT_OF_MEMORY, DESCRIPTOR_LIMIT, SYSTEM. Since
// 0.1.
MPROC_API mproc_status_t mproc_call_object(mproc_call_t* call, size_t index, void** object);

#endif
