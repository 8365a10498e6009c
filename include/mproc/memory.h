// SPDX-License-Identifier: MIT
// Memory that processes share. It has no name and goes to tasks and processes as an object (object.h); it is
// gone with the last process that has it, however that ended. Nothing in it keeps processes apart: use a lock
// for that, or an array (array.h), which has one.
#ifndef MPROC_MEMORY_H
#define MPROC_MEMORY_H

#include <mproc/export.h>
#include <mproc/status.h>

typedef struct mproc_memory mproc_memory_t;

// How memory is made.
enum mproc_memory_flags {
  MPROC_MEMORY_RESERVED =
      0,                  // all of it is taken at once: a lack of memory is told by the call that makes it
  MPROC_MEMORY_LATER = 1  // pages are taken when they are first touched; a lack of them ends that process
};

// Makes `size` bytes of shared memory, all zero, in *memory, to be destroyed by mproc_memory_destroy. `flags`
// are MPROC_MEMORY_. Any thread. Returns OK, INVALID_ARGUMENT (size is 0, no such flag, memory is null),
// TOO_LARGE (2^46 bytes and more), OUT_OF_MEMORY, DESCRIPTOR_LIMIT, SYSTEM. Since 0.1.
MPROC_API mproc_status_t mproc_memory_create(size_t size, uint32_t flags, mproc_memory_t** memory);

// Writes where it is in this process to *data, aligned to 64 bytes, and its size as it was asked for to
// *size; each may be null. It is there until this handle is destroyed, and not in children that this process
// forks by itself. Any thread. Returns OK, INVALID_HANDLE, STALE_HANDLE. Since 0.1.
MPROC_API mproc_status_t mproc_memory_data(mproc_memory_t* memory, void** data, size_t* size);

// Destroys this handle, and with it the memory's place in this process; null is fine. It lives on where
// others have it. Any thread, while none uses the bytes. Returns OK, INVALID_HANDLE, STALE_HANDLE. Since 0.1.
MPROC_API mproc_status_t mproc_memory_destroy(mproc_memory_t* memory);

#endif
