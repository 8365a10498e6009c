// SPDX-License-Identifier: MIT
// Values: structured payloads that host and worker, in any languages, read alike. Optional: a payload is
// bytes, and a value is one way to make and to read them. docs/wire-format.md describes the bytes.
//
// A value is written from front to back (put, begin, end) and then encoded, or decoded and then read. Reading
// goes by nodes, numbers that are valid until the value is written to, decoded into or cleared: node 0 is the
// whole; the entries of a list, and the keys and values of a map, are asked for. One thread at a time may use
// a value, to read it too. Hosts and workers may use all of this.
#ifndef MPROC_VALUE_H
#define MPROC_VALUE_H

#include <mproc/status.h>

typedef struct mproc_value mproc_value_t;

// What a value or a part of it is. 1, 1.0, "1" and true are four different values.
enum {
  MPROC_VALUE_NIL = 0,
  MPROC_VALUE_BOOL = 1,
  MPROC_VALUE_INT = 2,     // int64_t
  MPROC_VALUE_UINT = 3,    // uint64_t
  MPROC_VALUE_DOUBLE = 4,  // every bit of it is kept, those of NaN too
  MPROC_VALUE_STRING = 5,  // UTF-8, may contain zero bytes
  MPROC_VALUE_BYTES = 6,
  MPROC_VALUE_LIST = 7,
  MPROC_VALUE_MAP = 8,   // keys: kinds 0 to 6, none twice; one number as INT and as UINT is one key
  MPROC_VALUE_ARRAY = 9  // numbers of one type, without a tag each
};

// Types of the elements of an array.
enum {
  MPROC_ELEMENT_INT8 = 1,
  MPROC_ELEMENT_UINT8 = 2,
  MPROC_ELEMENT_INT16 = 3,
  MPROC_ELEMENT_UINT16 = 4,
  MPROC_ELEMENT_INT32 = 5,
  MPROC_ELEMENT_UINT32 = 6,
  MPROC_ELEMENT_INT64 = 7,
  MPROC_ELEMENT_UINT64 = 8,
  MPROC_ELEMENT_FLOAT32 = 9,
  MPROC_ELEMENT_FLOAT64 = 10
};

// Creates an empty value, to be destroyed by mproc_value_destroy. Returns OK, INVALID_ARGUMENT,
// OUT_OF_MEMORY. Since 0.1.
MPROC_API mproc_status_t mproc_value_create(mproc_value_t** value);

// Destroys a value, and what encode, get_string, get_bytes and get_array gave of it; null is fine. Returns
// OK, INVALID_HANDLE, STALE_HANDLE. Since 0.1.
MPROC_API mproc_status_t mproc_value_destroy(mproc_value_t* value);

// Makes a value empty again. Returns OK, INVALID_HANDLE, STALE_HANDLE. Since 0.1.
MPROC_API mproc_status_t mproc_value_clear(mproc_value_t* value);

// Writes the next part: the whole value, the next entry of the list that was begun last, or the next key or
// value of the map that was begun last. A value that was decoded is cleared first. `truth` is any number;
// strings and bytes are copied and may be null if size is 0; `elements` are `count` numbers of `type`
// (MPROC_ELEMENT_), copied. Each returns OK; WRONG_KIND if no such part may stand here (after the end, or as
// a key); DUPLICATE if the map has this key; BAD_VALUE for a string that is not UTF-8; TOO_LARGE;
// INVALID_ARGUMENT; INVALID_HANDLE, STALE_HANDLE, OUT_OF_MEMORY. After an error all is as before. Since 0.1.
MPROC_API mproc_status_t mproc_value_put_nil(mproc_value_t* value);
MPROC_API mproc_status_t mproc_value_put_bool(mproc_value_t* value, int32_t truth);
MPROC_API mproc_status_t mproc_value_put_int(mproc_value_t* value, int64_t number);
MPROC_API mproc_status_t mproc_value_put_uint(mproc_value_t* value, uint64_t number);
MPROC_API mproc_status_t mproc_value_put_double(mproc_value_t* value, double number);
MPROC_API mproc_status_t mproc_value_put_string(mproc_value_t* value, const char* text, size_t size);
MPROC_API mproc_status_t mproc_value_put_bytes(mproc_value_t* value, const void* data, size_t size);
MPROC_API mproc_status_t mproc_value_put_array(mproc_value_t* value, int32_t type, const void* elements,
                                               uint64_t count);

// Begins a list or a map; what is put until its end belongs to it. Returns as the calls above, and TOO_DEEP
// beyond 100 lists and maps inside one another. Since 0.1.
MPROC_API mproc_status_t mproc_value_begin_list(mproc_value_t* value);
MPROC_API mproc_status_t mproc_value_begin_map(mproc_value_t* value);

// Ends the list or map that was begun last. Returns OK; WRONG_KIND if none is open or a key has no value yet;
// INVALID_HANDLE, STALE_HANDLE. Since 0.1.
MPROC_API mproc_status_t mproc_value_end(mproc_value_t* value);

// Writes the address and size of the encoded bytes to *data and *size; they are the value's and last until it
// is changed. Returns OK; NOT_READY if the value is empty or a list or map is not ended; INVALID_ARGUMENT,
// INVALID_HANDLE, STALE_HANDLE. Since 0.1.
MPROC_API mproc_status_t mproc_value_encode(mproc_value_t* value, const void** data, size_t* size);

// Reads `size` encoded bytes into the value, in place of what it was. They are copied; the _borrowed form
// leaves them where they are: they must stay until the value is changed or destroyed. Bytes of any origin are
// safe to decode: nothing is believed that was not checked. Returns OK; BAD_VALUE, which tells the place;
// TOO_DEEP; INVALID_ARGUMENT, INVALID_HANDLE, STALE_HANDLE, OUT_OF_MEMORY. After an error the value is empty.
// Since 0.1.
MPROC_API mproc_status_t mproc_value_decode(mproc_value_t* value, const void* data, size_t size);
MPROC_API mproc_status_t mproc_value_decode_borrowed(mproc_value_t* value, const void* data, size_t size);

// Writes the kind (MPROC_VALUE_) of a node to *kind. Returns OK, and so do the calls below; NOT_READY if the
// value is empty or not complete; INVALID_ARGUMENT if there is no such node or entry; WRONG_KIND if the node
// is of another kind than the call is for; INVALID_HANDLE, STALE_HANDLE, OUT_OF_MEMORY. Since 0.1.
MPROC_API mproc_status_t mproc_value_kind(mproc_value_t* value, uint64_t node, int32_t* kind);

// Writes how many entries a list, pairs a map, elements an array, or bytes a string or bytes have.
// Returns as mproc_value_kind. Since 0.1.
MPROC_API mproc_status_t mproc_value_count(mproc_value_t* value, uint64_t node, uint64_t* count);

// Write what a node holds. An INT that is not negative can be got as uint64_t, a UINT that is not too large
// as int64_t; nothing else is converted. Strings (not ended by zero), bytes and elements are the value's and
// last until it is changed; elements are aligned to 8 bytes if the encoded bytes are. Each returns as
// mproc_value_kind. Since 0.1.
MPROC_API mproc_status_t mproc_value_get_bool(mproc_value_t* value, uint64_t node, int32_t* truth);
MPROC_API mproc_status_t mproc_value_get_int(mproc_value_t* value, uint64_t node, int64_t* number);
MPROC_API mproc_status_t mproc_value_get_uint(mproc_value_t* value, uint64_t node, uint64_t* number);
MPROC_API mproc_status_t mproc_value_get_double(mproc_value_t* value, uint64_t node, double* number);
MPROC_API mproc_status_t mproc_value_get_string(mproc_value_t* value, uint64_t node, const char** text,
                                                size_t* size);
MPROC_API mproc_status_t mproc_value_get_bytes(mproc_value_t* value, uint64_t node, const void** data,
                                               size_t* size);
MPROC_API mproc_status_t mproc_value_get_array(mproc_value_t* value, uint64_t node, int32_t* type,
                                               const void** elements, uint64_t* count);

// Writes the node of the entry of a list, or of key and value of the pair of a map, at an index.
// Each returns as mproc_value_kind. Since 0.1.
MPROC_API mproc_status_t mproc_value_list_at(mproc_value_t* value, uint64_t node, uint64_t index,
                                             uint64_t* entry);
MPROC_API mproc_status_t mproc_value_map_at(mproc_value_t* value, uint64_t node, uint64_t index,
                                            uint64_t* key, uint64_t* entry);

// Writes the node of the value under a string key of `size` bytes; looks through the pairs one by one.
// Returns as mproc_value_kind, and NO_VALUE if the map has no such key. Since 0.1.
MPROC_API mproc_status_t mproc_value_map_find(mproc_value_t* value, uint64_t node, const char* key,
                                              size_t size, uint64_t* entry);

#endif
