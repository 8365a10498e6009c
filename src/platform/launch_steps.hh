// SPDX-License-Identifier: MIT
// The part of Launch that happens in its two children. Nothing here allocates, locks or returns to the host.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <atomic>

namespace mproc::platform::internal {

// How much the children share with the host, best first. Where the system or a tool refuses one, the next
// one serves.
enum class LaunchWay {
  kSharedAll,     // memory and descriptors; the host sees a pidfd that the intermediate gets
  kSharedMemory,  // memory: the only flags besides none that valgrind knows (it copies all the same)
  kCopy,          // nothing, as fork does: for thread sanitizer, and where nothing else is allowed
};

// What the children report through the pipe; written in one piece.
struct LaunchReport {
  enum Stage : int32_t { kRuns = 1, kNoClone = 2, kNoPipe = 3, kNoExec = 4, kGone = 5 };
  int32_t stage;
  int32_t error;
  int32_t pid;
  int32_t pidfd;  // in the host's table, with kSharedAll only; else -1
};

// All that the children need, made before they start.
struct LaunchPlan {
  const char* program;
  char* const* arguments;
  char* const* environment;
  int control;  // descriptors here are above all that the program gets
  int host;     // -1 if there is no pidfd
  int null;
  int report;
  LaunchWay way;
  std::byte* intermediate_stack;  // upper ends
  std::byte* program_stack;
  volatile int exec_failed;  // set in memory that is shared
};

// Starts the intermediate, which starts the program, reports and ends. Its pid, or a negated errno.
int StartIntermediate(LaunchPlan* plan);

}  // namespace mproc::platform::internal
