// SPDX-License-Identifier: MIT
// What the module of the tests of objects and its host agree on. Cells are those of the board (functions.h).
#ifndef MPROC_TESTS_SYNC_FUNCTIONS_H
#define MPROC_TESTS_SYNC_FUNCTIONS_H

// X(id, name, what it takes, does and gives, with which objects)
#define SYNC_FUNCTIONS(X)                                                                               \
  X(1, count, "int64 times: raises cell 0 that often, each time under the lock, 0")                     \
  X(2, enter, "int64 times: enters by the semaphore, 0; cell 1: how many are inside, 2: the most")      \
  X(3, await, "nothing: waits for the event, 0; cell 3: how many are about to")                         \
  X(4, meet, "int64 rounds: meets at the barrier, 0; cell 4: how many have come; gives wrong counts")   \
  X(5, until, "nothing: waits at the condition, 0, until gate 5 is open; cell 5: how many wait")        \
  X(6, die, "nothing: is killed with the lock, 0")                                                      \
  X(7, wrong, "nothing: uses an event, 0, as a lock; gives two statuses as int64: of that, of index 1") \
  X(8, hold, "nothing: holds the lock, 0, until the event, 1, is set; gives its pid")

enum {
#define SYNC_ID(id, name, about) sync_##name = id,
  SYNC_FUNCTIONS(SYNC_ID)
#undef SYNC_ID
};

#endif
