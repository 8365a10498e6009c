// SPDX-License-Identifier: MIT
// What the module of the tests of processes and its host agree on. Cells are those of the board
// (functions.h).
#ifndef MPROC_TESTS_PROCESS_FUNCTIONS_H
#define MPROC_TESTS_PROCESS_FUNCTIONS_H

// X(id, name, what it takes and does, with which objects)
#define PROCESS_FUNCTIONS(X)                                                                        \
  X(1, give, "int64: returns it")                                                                   \
  X(2, leave, "int64: ends the process by exit() with it")                                          \
  X(3, fail, "nothing: fails with 7, a type, a message and a trace")                                \
  X(4, await, "nothing: waits for the event, 0, or until it is to stop; cell 0: begun")             \
  X(5, crash, "nothing: calls abort()")                                                             \
  X(6, who, "nothing: fails with who it is: name, daemon, pid, parent's pid, parent's name")        \
  X(7, count, "int64 times: raises cell 1 that often, each time under the lock, 0")                 \
  X(8, nest, "nothing: fails with names, exit codes and d for a daemon of two children of its own") \
  X(9, echo, "bytes: fails with them as its message")                                               \
  X(10, two_lines, "int64 n: writes n twice on the list, with a rest between, under the lock, 0")   \
  X(11, enter, "nothing: enters by the semaphore, 0; cell 2: how many are inside, 3: the most")     \
  X(12, rounds, "int64 n: writes k on the list and meets at the barrier, 0, for k = 0 to n - 1")    \
  X(13, until, "nothing: waits at the condition, 0, until gate 5 is open; cell 5: how many wait")   \
  X(14, meet, "nothing: meets at the barrier, 0, and returns 0, or 4 if it was broken")             \
  X(15, where, "a name: fails with the value of that variable, and its directory")                  \
  X(16, hooks, "nothing: adds hooks that write 1 to 5 on the list at its end, and writes 9")        \
  X(17, key, "an address, if any: connects there with the key of the process; fails with that key") \
  X(18, parent, "nothing: returns 0 if its parent is there, by all that can be asked")              \
  X(19, outlive, "nothing: waits for the end of its parent; cells 0: begun, 1: it came")

// The list: how many lines it has is in `begun` of this cell, the lines are in `pid` of those that follow.
enum { kList = 1000 };

enum {
#define PROCESS_ID(id, name, about) process_##name = id,
  PROCESS_FUNCTIONS(PROCESS_ID)
#undef PROCESS_ID
};

#endif
