// SPDX-License-Identifier: MIT
// What a freshly started process of ours does first. Child processes only, before they have threads.
// Functions marked (*) are async-signal-safe and may run in a child that shares its parent's memory.
#pragma once

#include <sys/types.h>

#include "base/status.hh"

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

// Forks this process, with the handlers that pthread_atfork knows of: 0 in the child.
Result<pid_t> Fork();

// What a child does first that the host has forked from a thread of ours, whose signals are blocked: it dies
// with the host, or at once if that is gone; no signal of a terminal reaches it; every signal has its default
// action, for the host's handlers would act on what is the host's; its standard input is the null device; and
// what the host has not yet flushed is left for the host to write.
void SettleAsFork(pid_t host, const char* name);

// Ends the process: nothing is flushed, nothing is called.
[[noreturn]] void LeaveAtOnce(int code);

// The name that lists of processes show.
void NameProcess(const char* name);

// Makes `number` another name of the open file behind `fd`, or of the null device if that is -1; it stays
// open in programs that this process starts if `keep`. False if that cannot be.
bool PlaceFd(int fd, int number, bool keep);

// Becomes the program, looked for in PATH if it has no '/', with the environment and the descriptors that are
// not close-on-exec. Returns only if that cannot be.
Status BecomeProgram(char* const* arguments);

// Keeps a descriptor from the programs that this process starts. False if it is not open.
bool SetCloseOnExec(int fd);

}  // namespace mproc::platform
