// SPDX-License-Identifier: MIT
// What is to be called when a process ends in good order: one of this process, or of this thread, if it is a
// process by start method threads. A forked child has none of its parent's. Any thread.
#pragma once

#include <cstdint>

namespace mproc::worker {

using ExitHook = void (*)(void* user_data);

void AddExitHook(ExitHook hook, void* user_data, int32_t priority);
// Calls and forgets those of at least this priority, the highest first, and the last that was added first
// among equals; what they add meanwhile is called, too.
void RunExitHooks(int32_t least);

// This thread has hooks of its own while one lives.
class OwnExitHooks {
 public:
  OwnExitHooks();
  ~OwnExitHooks();
  OwnExitHooks(const OwnExitHooks&) = delete;
  OwnExitHooks& operator=(const OwnExitHooks&) = delete;
};

}  // namespace mproc::worker
