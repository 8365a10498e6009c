// SPDX-License-Identifier: MIT
// Lists in segments (segment.h), laid out as Python's ShareableList: numbers, truths, texts, bytes and nil,
// which can be replaced, but not become more; a text has room for what fits where the first one was. Zeros at
// the end of texts and bytes are not kept apart from those behind them. Nothing keeps processes apart: use a
// lock for that.
#ifndef MPROC_SHAREABLE_LIST_H
#define MPROC_SHAREABLE_LIST_H

#include <mproc/segment.h>
#include <mproc/value.h>

// Makes a list of the items of `list`, a value that is a list of nil, booleans, integers below 2^63, doubles,
// strings and bytes, in a segment of this name, or, if it is null, of some name. Any thread. Returns as
// mproc_segment_create, and WRONG_KIND (the value is no list, or an item can be none of this one), NOT_READY
// (the value is not whole), TOO_LARGE (a string or bytes of 9,999,992 bytes and more). Since 0.1.
MPROC_API mproc_status_t mproc_shareable_list_create(const char* name, mproc_value_t* list,
                                                     mproc_segment_t** segment);

// Writes the number of items of the list in this segment to *count. Any thread. Returns OK, INVALID_ARGUMENT
// (count is null), PROTOCOL (there is no list in it). Since 0.1.
MPROC_API mproc_status_t mproc_shareable_list_count(mproc_segment_t* segment, uint64_t* count);

// Puts a copy of the item at `index`, from 0, into `value`, in place of what was there. Any thread. Returns
// OK, INVALID_ARGUMENT (there are not so many), PROTOCOL. Since 0.1.
MPROC_API mproc_status_t mproc_shareable_list_get(mproc_segment_t* segment, uint64_t index,
                                                  mproc_value_t* value);

// Replaces the item at `index` by `value`, of any kind that an item can have. Any thread. Returns OK,
// INVALID_ARGUMENT (there are not so many), WRONG_KIND, NOT_READY, TOO_LARGE (there is no room for so many
// bytes; nothing was changed), PROTOCOL. Since 0.1.
MPROC_API mproc_status_t mproc_shareable_list_set(mproc_segment_t* segment, uint64_t index,
                                                  mproc_value_t* value);

#endif
