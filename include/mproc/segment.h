// SPDX-License-Identifier: MIT
// Shared memory with a name: processes that were given nothing find it, Python's SharedMemory among them. A
// segment is an object (object.h), too, and can be passed as one.
//
// It is there until its name is taken away by mproc_segment_unlink, or else as long as the process that made
// it lives, and as any process has it open; then it goes, however they ended: a launcher process sees to
// that, which the first call here starts. Python's processes are not counted, but keep the memory they have,
// and Python before 3.13 removes what it attached when its process ends. Memory (memory.h) needs no name and
// no launcher.
#ifndef MPROC_SEGMENT_H
#define MPROC_SEGMENT_H

#include <mproc/memory.h>

typedef struct mproc_segment mproc_segment_t;

// Makes `size` bytes of shared memory, all zero, under a name of 1 to 200 bytes without a slash, in *segment,
// to be destroyed by mproc_segment_destroy; null: under some name that is free. `flags` are MPROC_MEMORY_.
// Any thread. Returns OK, INVALID_ARGUMENT (size is 0, no such flag, a wrong name, segment is null), EXISTS,
// TOO_LARGE (2^46 bytes and more), OUT_OF_MEMORY, DESCRIPTOR_LIMIT, NO_WORKER_PROGRAM, BUSY (another process
// has been stopped while it removed segments), SYSTEM (the directory mproc-UID in /dev/shm belongs to
// somebody else, among others). Since 0.1.
MPROC_API mproc_status_t mproc_segment_create(const char* name, size_t size, uint32_t flags,
                                              mproc_segment_t** segment);

// Writes a handle on the segment of this name, made by whatever process of this user, to *segment, to be
// destroyed by mproc_segment_destroy. Any thread. Returns OK, INVALID_ARGUMENT (a wrong name, segment is
// null), NOT_FOUND, PROTOCOL (it has no size), OUT_OF_MEMORY, DESCRIPTOR_LIMIT, NO_WORKER_PROGRAM, SYSTEM.
// Since 0.1.
MPROC_API mproc_status_t mproc_segment_attach(const char* name, mproc_segment_t** segment);

// Writes where it is in this process to *data, at the start of a page, and its size as it was asked for to
// *size; each may be null. It is there until this handle is destroyed, and not in children that this process
// forks by itself. Any thread. Returns OK. Since 0.1.
MPROC_API mproc_status_t mproc_segment_data(mproc_segment_t* segment, void** data, size_t* size);

// Writes its name to *name; the text is the handle's. Any thread. Returns OK, INVALID_ARGUMENT (name is
// null). Since 0.1.
MPROC_API mproc_status_t mproc_segment_name(mproc_segment_t* segment, const char** name);

// Takes its name away: it cannot be attached any more, the name is free, and the memory goes with the last
// process that has it. Any thread. Returns OK, NOT_FOUND (done before, maybe by another process), BUSY
// (another process has been stopped in the middle of such a call), SYSTEM. Since 0.1.
MPROC_API mproc_status_t mproc_segment_unlink(mproc_segment_t* segment);

// Destroys this handle, and with it the segment's place in this process; null is fine. Any thread, while none
// uses the bytes. Returns OK. Since 0.1.
MPROC_API mproc_status_t mproc_segment_destroy(mproc_segment_t* segment);

#endif
