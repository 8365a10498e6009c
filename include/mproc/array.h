// SPDX-License-Identifier: MIT
// Arrays that processes share, and shared values, which are arrays of one item. An array has a recursive,
// robust lock of its own, or one that was given to it, or none; it goes to tasks and processes as an object
// (object.h), and its lock with it. A process that is killed while it holds a robust one holds nobody up.
#ifndef MPROC_ARRAY_H
#define MPROC_ARRAY_H

#include <mproc/lock.h>

typedef struct mproc_array mproc_array_t;

// What the items are: the letters of C's types that Python has, too. They say how large an item is; nothing
// is converted.
enum mproc_type {
  MPROC_TYPE_BYTES = 0,     // of any size
  MPROC_TYPE_CHAR = 'c',    // char
  MPROC_TYPE_INT8 = 'b',    // signed char
  MPROC_TYPE_UINT8 = 'B',   // unsigned char
  MPROC_TYPE_WCHAR = 'u',   // wchar_t
  MPROC_TYPE_SHORT = 'h',   // short
  MPROC_TYPE_USHORT = 'H',  // unsigned short
  MPROC_TYPE_INT = 'i',     // int
  MPROC_TYPE_UINT = 'I',    // unsigned int
  MPROC_TYPE_LONG = 'l',    // long
  MPROC_TYPE_ULONG = 'L',   // unsigned long
  MPROC_TYPE_LLONG = 'q',   // long long
  MPROC_TYPE_ULLONG = 'Q',  // unsigned long long
  MPROC_TYPE_FLOAT = 'f',   // float
  MPROC_TYPE_DOUBLE = 'd'   // double
};

// Makes an array of `count` items of a type MPROC_TYPE_, all zero, in *array, to be destroyed by
// mproc_array_destroy. `item_size` is the size of an item in bytes; 0: that of the type. It has `lock`, or,
// if that is null, a recursive, robust lock of its own; the lock can be destroyed before. Any thread. Returns
// OK, INVALID_ARGUMENT (no such type, another size than the type's, no items, array is null), TOO_LARGE (2^46
// bytes and more), INVALID_HANDLE, STALE_HANDLE, OUT_OF_MEMORY, DESCRIPTOR_LIMIT, SYSTEM. Since 0.1.
MPROC_API mproc_status_t mproc_array_create(int32_t type, size_t item_size, size_t count, mproc_lock_t* lock,
                                            mproc_array_t** array);

// The same without a lock. Any thread. Returns as mproc_array_create. Since 0.1.
MPROC_API mproc_status_t mproc_array_create_raw(int32_t type, size_t item_size, size_t count,
                                                mproc_array_t** array);

// Writes the type, the size of an item and the number of items to *type, *item_size and *count; each may be
// null. Any thread. Returns OK, INVALID_HANDLE, STALE_HANDLE. Since 0.1.
MPROC_API mproc_status_t mproc_array_shape(mproc_array_t* array, int32_t* type, size_t* item_size,
                                           size_t* count);

// Writes where the items are in this process to *data, aligned to 64 bytes. They are there until this handle
// is destroyed; acquire the array while you use them. Any thread. Returns OK, INVALID_ARGUMENT (data is
// null), INVALID_HANDLE, STALE_HANDLE. Since 0.1.
MPROC_API mproc_status_t mproc_array_data(mproc_array_t* array, void** data);

// Copies `count` items from `first` on to `items`, or from there, with the array's lock held meanwhile, for
// which it waits at most `limit` nanoseconds. Without a lock, only items of 1, 2, 4 and 8 bytes are sure to
// be whole. To read, change and write back, acquire the array around all of it. Any thread. Returns OK;
// INVALID_ARGUMENT (items is null, the array ends before); TIMED_OUT, INTERRUPTED: nothing was copied;
// OWNER_DIED (the lock was taken from a thread that had ended, whose changes may be half done): it was
// copied, and the lock given back. Since 0.1.
MPROC_API mproc_status_t mproc_array_get(mproc_array_t* array, size_t first, size_t count, void* items,
                                         int64_t limit);
MPROC_API mproc_status_t mproc_array_set(mproc_array_t* array, size_t first, size_t count, const void* items,
                                         int64_t limit);

// Acquires and releases the array's lock. Returns as mproc_lock_acquire and mproc_lock_release do (with
// OWNER_DIED it is acquired, and to be released), and UNSUPPORTED (it has no lock). Since 0.1.
MPROC_API mproc_status_t mproc_array_acquire(mproc_array_t* array, int64_t limit);
MPROC_API mproc_status_t mproc_array_release(mproc_array_t* array);

// Writes a new handle on the lock that was given to the array to *lock, to be destroyed by
// mproc_lock_destroy. Any thread. Returns OK, NOT_FOUND (none was given), INVALID_ARGUMENT (lock is null),
// INVALID_HANDLE, STALE_HANDLE, OUT_OF_MEMORY. Since 0.1.
MPROC_API mproc_status_t mproc_array_lock(mproc_array_t* array, mproc_lock_t** lock);

// Destroys this handle, and with it the array's place in this process; null is fine. It lives on where others
// have it. Any thread, while none uses the items. Returns OK, INVALID_HANDLE, STALE_HANDLE. Since 0.1.
MPROC_API mproc_status_t mproc_array_destroy(mproc_array_t* array);

#endif
