// SPDX-License-Identifier: MIT
// What a freshly started process of ours does first. Child processes only, before they have threads.
// Functions marked (*) are async-signal-safe and may run in a child that shares its parent's memory.
#pragma once

#include <sys/types.h>

namespace mproc::platform {

// The launcher tells its workers its process number in this variable of the environment.
inline constexpr char kLauncherPidVariable[] = "MPROC_LAUNCHER_PID";

// Puts every signal back to its default and unblocks all. (*)
void ResetSignals();

// Closes every descriptor from `lowest` on. (*)
void CloseFrom(int lowest);

// Lets the system send `signo` to this process when its parent ends, then looks whether the parent is
// still `parent`. False if it is gone already: the caller should end. (*)
bool SetParentDeathSignal(int signo, pid_t parent);

// A worker's first call: it dies with the launcher that started it. Takes the launcher's number from the
// environment and removes it; does not return if the launcher is gone. Without the variable it does nothing.
void DieWithLauncher();

// Makes this process the leader of a session of its own (no signal of a terminal reaches it), names it,
// leaves the working directory that it inherited, and ignores the common signals but SIGTERM, by which an
// administrator ends it, and SIGCHLD.
void SettleInBackground(const char* name);

// Keeps a descriptor from the programs that this process starts. False if it is not open.
bool SetCloseOnExec(int fd);

}  // namespace mproc::platform
