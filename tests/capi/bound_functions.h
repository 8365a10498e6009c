// SPDX-License-Identifier: MIT
// The functions of the tests of bound arguments and of several arguments, and what they take and give.
#ifndef MPROC_TESTS_BOUND_FUNCTIONS_H
#define MPROC_TESTS_BOUND_FUNCTIONS_H

#include <stdint.h>

// fn_partial: bound to a Fixed, takes an int64, gives a Partial. fn_peek: bound to bytes, takes an int64
// offset, gives a Peek. fn_unbound: gives whether something is bound, as an int32. fn_scribble: writes to
// what is bound. fn_wait: as fn_peek, but waits for the gate of the board at that number first. fn_limit:
// int64, lets its process have so many descriptors. fn_raise_to: three arguments, base and exponent as int64
// and a name, gives a Power; fails with 2 if they are none, with 3 if the exponent is negative.
enum {
  fn_partial = 1,
  fn_peek = 2,
  fn_unbound = 3,
  fn_scribble = 4,
  fn_wait = 5,
  fn_limit = 6,
  fn_raise_to = 7
};

typedef struct {
  int64_t first, second;
  unsigned char filling[1000];
} Fixed;

typedef struct {
  int64_t first, second, third;
  uint64_t sum;  // of the Fixed, as SumOf
  uint64_t item;
  uint32_t function;
  int32_t pid;
} Partial;

typedef struct {
  uint64_t size;
  uint64_t address;
  uint64_t inode;  // of the memory that is mapped there
  int32_t byte;    // at the offset; -1 beyond the end
  int32_t pid;
} Peek;

typedef struct {
  int64_t power;
  char name[32];
} Power;

#endif
