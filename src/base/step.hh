// SPDX-License-Identifier: MIT
// Fault points: between any two stores that other processes can see stands MPROC_STEP(). It is nothing, but
// in the tests that are built with MPROC_STEPS, where a walk kills a process at each of them in turn.
#pragma once

#ifdef MPROC_STEPS
namespace mproc {
void Step(const char* file, int line);  // the test's
}
#define MPROC_STEP() ::mproc::Step(__FILE__, __LINE__)
#else
#define MPROC_STEP() static_cast<void>(0)
#endif
