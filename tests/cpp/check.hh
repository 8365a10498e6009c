// SPDX-License-Identifier: MIT
// Counting of failed checks, for programs of several tests. The last line is "N passed, N failed".
#pragma once

#include <mproc/mproc.h>

#include <cstdio>
#include <exception>

inline int g_failures = 0;

inline void Check(bool good, const char* what, int line) {
  if (good) return;
  g_failures++;
  std::printf("  line %d: %s\n", line, what);
}
#define CHECK(condition) Check((condition), #condition, __LINE__)

class Tests {
 public:
  template <typename Body>
  void Run(const char* name, Body&& body) {
    int before = g_failures;
    try {
      body();
    } catch (const std::exception& error) {
      Check(false, error.what(), 0);
    }
    bool good = g_failures == before;
    std::printf("%s %s\n", good ? "ok" : "FAILED", name);
    ++(good ? passed_ : failed_);
  }

  // What main() returns.
  int End() {
    if (mproc_runtime_finish(10 * MPROC_SECOND) != MPROC_OK) failed_++;
    std::printf("%d passed, %d failed\n", passed_, failed_);
    return failed_ != 0;
  }

 private:
  int passed_ = 0, failed_ = 0;
};
