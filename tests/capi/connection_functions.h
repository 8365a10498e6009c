// SPDX-License-Identifier: MIT
// What the module of the tests of connections and its host agree on. Cells are those of the board
// (functions.h).
#ifndef MPROC_TESTS_CONNECTION_FUNCTIONS_H
#define MPROC_TESTS_CONNECTION_FUNCTIONS_H

// X(id, name, what it takes, does and gives, with which objects)
#define CONNECTION_FUNCTIONS(X)                                                                            \
  X(1, send, "bytes: sends them over the connection, 0")                                                   \
  X(2, answer, "nothing: sends back what comes over the connection, 0, until it ends")                     \
  X(3, flood, "nothing: sends 1000 bytes over the connection, 0, until that fails; cell 0: then 50")       \
  X(4, give_back, "nothing: gets a lock, an event and a connection over 0, uses all, sends the lock back") \
  X(5, send_and_stay, "bytes: sends them over the connection, 0, and waits for a message")                 \
  X(6, forked_ends, "an inode: how many descriptors of it a forked child has; takes no object")

enum {
#define CONNECTION_ID(id, name, about) connection_##name = id,
  CONNECTION_FUNCTIONS(CONNECTION_ID)
#undef CONNECTION_ID
};

#endif
