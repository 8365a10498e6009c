// SPDX-License-Identifier: MIT
// The functions of the bench module (bench_module.c) by their ids. Read as C, too, by the module.
#pragma once

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
