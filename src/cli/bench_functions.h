// SPDX-License-Identifier: MIT
// The functions of the bench module (bench_module.c) by their ids. C, for the module, and C++.
#ifndef MPROC_CLI_BENCH_FUNCTIONS_H
#define MPROC_CLI_BENCH_FUNCTIONS_H

enum BenchFunction {
  kNoop = 1,
  kEcho = 2,
  kBusy = 3,
  kBlock = 4,
  kRange = 5,
  kInPlace = 6,
  kSpin = 7,
  kPut = 8,
  kTake = 9,
  kHandOver = 10
};

#endif
