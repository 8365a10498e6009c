// SPDX-License-Identifier: MIT
// The functions of the module whose tasks have pools of their own.
#ifndef MPROC_TESTS_NESTING_H
#define MPROC_TESTS_NESTING_H

#include <stdint.h>

enum {
  nest_count = 1,  // Nest: gives how many calls there were, this one and those below it
  nest_hang = 2    // Nest: never ends; those at the bottom mark their cell begun
};

typedef struct {
  int64_t depth;  // of pools below
  int64_t cell;
} Nest;

#endif
