// SPDX-License-Identifier: MIT
// Lazy maps: one function over the items of an iterable, which are taken one by one as their results are
// read, so that neither items nor results pile up. A function of several arguments takes them as one item:
// the bytes of a struct, or a list made with mproc_value_begin_list (value.h).
#ifndef MPROC_IMAP_H
#define MPROC_IMAP_H

#include <mproc/map.h>

// An iterator over results. One call at a time may use it, from any thread; a second one, and one from its
// own pull callback, returns BUSY. It outlives its pool; its results can be read after close, join, destroy.
typedef struct mproc_imap mproc_imap_t;

// How a lazy map goes: these numbers added up.
enum {
  MPROC_IMAP_ORDERED = 0,    // results come in the order of the items
  MPROC_IMAP_UNORDERED = 1,  // results come as they arrive: in the order in which their chunks end
  MPROC_IMAP_KEEP_GOING = 2  // an item that fails does not keep the rest of its chunk from being run
};

// What a pull callback returns, besides a negative number of its own: the iterable failed with that.
enum {
  MPROC_ITEM_END = 0,   // no more items: it is not asked again
  MPROC_ITEM_GIVEN = 1  // *data and *size are the next item
};

// Gives the next item of an iterable: writes where its bytes are, which are copied before the next pull.
// Called only inside mproc_pool_imap and mproc_imap_next, on the thread of that call, never on one of the
// library's. The limit of that call does not bound the time that it takes.
typedef int32_t (*mproc_item_cb)(const void** data, size_t* size, void* user_data);

// Begins a lazy map over what `next` gives. At most `window_items` items (0: 2 x workers x chunk) are pulled
// and not yet handed out, and none is pulled while these hold `window_bytes` bytes or more (0: no bound; what
// is pulled last may go beyond). `chunk` items travel as one task, fewer if the window is smaller or the
// iterable ends; MPROC_CHUNK_AUTO is 1. `flags` are MPROC_IMAP_. The first items are pulled here, the others
// by mproc_imap_next; if this call fails, none was. A full queue of the pool is not waited for here. The
// iterator in *iterator is the caller's, to be destroyed. Returns OK, INVALID_ARGUMENT (chunk less than 1),
// UNKNOWN_FUNCTION, NOT_RUNNING, BROKEN, OUT_OF_MEMORY (also: 65536 iterators live). Since 0.1.
MPROC_API mproc_status_t mproc_pool_imap(mproc_pool_t* pool, uint32_t function_id, mproc_item_cb next,
                                         void* user_data, int64_t chunk, uint64_t window_items,
                                         uint64_t window_bytes, int32_t flags, mproc_imap_t** iterator);

// The same over byte items as in mproc_pool_map: `items[i]` and `sizes[i]` (null: every size is 0) describe
// item i; all are copied here. Returns as mproc_pool_imap. Since 0.1.
MPROC_API mproc_status_t mproc_pool_imap_items(mproc_pool_t* pool, uint32_t function_id,
                                               const void* const* items, const size_t* sizes, size_t count,
                                               int64_t chunk, uint64_t window_items, uint64_t window_bytes,
                                               int32_t flags, mproc_imap_t** iterator);

// Pulls what the window has room for, waits for the next result at most `limit`, and writes where it is, its
// size, and the place of its item in the input, from 0, to *data, *size and *index (each may be null). What
// it leads to lives until the following mproc_imap_next or the destroy. Every item that was pulled is handed
// out exactly once: with OK, or with how it ended, which writes *index, too, and nothing else: TASK (its own
// error), WORKER_LOST (with all of its chunk), CANCELLED (the pool was terminated), NOT_RUN (an earlier item
// of its chunk failed; the pool was closed, which ends the iteration; it is broken). Iteration goes on after
// these. Else returns END (no item is left; again and again), ITERABLE (the pull callback failed: after all
// that it gave before; then END), TIMED_OUT, INTERRUPTED, BUSY, STALE_HANDLE (also: another thread destroyed
// it meanwhile). Since 0.1.
MPROC_API mproc_status_t mproc_imap_next(mproc_imap_t* iterator, int64_t limit, const void** data,
                                         size_t* size, uint64_t* index);

// Writes the message, type or trace of the error that the last mproc_imap_next told to *text: zero-ended, ""
// if there is none, living until the following mproc_imap_next or the destroy. Returns OK, NO_ERROR (it told
// none), BUSY. Since 0.1.
MPROC_API mproc_status_t mproc_imap_error_message(mproc_imap_t* iterator, const char** text);
// The type that the function gave, "" if none. As mproc_imap_error_message. Since 0.1.
MPROC_API mproc_status_t mproc_imap_error_type(mproc_imap_t* iterator, const char** text);
// The trace. As mproc_imap_error_message. Since 0.1.
MPROC_API mproc_status_t mproc_imap_error_trace(mproc_imap_t* iterator, const char** text);

// Writes one number about what the last mproc_imap_next told, MPROC_FUTURE_INFO_, to *value: of an item about
// the task that carried its chunk, FAILED_ITEM being the item; of ITERABLE the ERROR_CODE, which is what the
// pull callback returned (INVALID_ARGUMENT if that was nonsense). Returns OK, NOT_READY (it told neither),
// INVALID_ARGUMENT, BUSY. Since 0.1.
MPROC_API mproc_status_t mproc_imap_info(mproc_imap_t* iterator, int32_t which, int64_t* value);

// Ends an iterator, at any moment and from any thread; null is fine. Tasks that no worker has begun are taken
// back, what runs ends unseen. Does not wait: a mproc_imap_next of another thread returns STALE_HANDLE soon,
// its pull callback may still run. Returns OK, STALE_HANDLE (destroyed before). Since 0.1.
MPROC_API mproc_status_t mproc_imap_destroy(mproc_imap_t* iterator);

#endif
