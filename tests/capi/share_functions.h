// SPDX-License-Identifier: MIT
// What the module of the tests of queues, arrays and memory and its host agree on.
#ifndef MPROC_TESTS_SHARE_FUNCTIONS_H
#define MPROC_TESTS_SHARE_FUNCTIONS_H

// X(id, name, what it takes and does, with which objects)
#define SHARE_FUNCTIONS(X)                                                                                 \
  X(1, put_text, "text: puts it into the queue, 0")                                                        \
  X(2, put_value, "puts the encoded list of 42, nil and 'hello' into the queue, 0")                        \
  X(3, put_numbers, "int64 times: puts 0 to times - 1 into the queue, 0, as int64")                        \
  X(4, take,                                                                                               \
    "takes int64 numbers from the queue, 0, reports each done; cells 0: how many, 1: their sum; "          \
    "ends with one that is negative")                                                                      \
  X(5, raise_items, "int64 times: adds one to the double or the int at 0 of the array, 0, under its lock") \
  X(6, write_items, "writes 3 * i to all int items i of the array, 0")                                     \
  X(7, write_bytes, "text: writes it to the end of the memory, 0")                                         \
  X(8, use, "does with the object, 0, what tells that it is the one")                                      \
  X(9, use_next, "the same with the object of the next item of the queue, 0")                              \
  X(10, pass_on, "puts the object of the next item of the queue, 0, into the queue, 1")                    \
  X(11, die_putting, "puts into the queue, 0, until it is killed; cell 2: it has begun")                   \
  X(12, make_segment, "a name: makes a segment, and stays; cell 3: it has")                                \
  X(13, append,                                                                                            \
    "int64: appends it to the list of int in the array, 1, whose item 0 is its length, under the lock, "   \
    "0; gives that length as int64")                                                                       \
  X(14, use_received, "does with the object of the next message of the connection, 0, as 8 does")

enum {
#define SHARE_ID(id, name, about) share_##name = id,
  SHARE_FUNCTIONS(SHARE_ID)
#undef SHARE_ID
};

#endif
