// SPDX-License-Identifier: MIT
// Processes that are forked by one process and belong to another: a worker is forked by a template, and is a
// child of the launcher, which reaps it. Single-threaded processes only.
#pragma once

#include <sys/types.h>

#include <functional>
#include <optional>

namespace mproc::platform {

// From now on this process, not process 1, is the parent of whoever is orphaned below it. False if the
// system refuses.
bool AdoptOrphans();

pid_t ParentPid();

// How an ended child ended.
struct ChildEnd {
  int code = 0;
  int signal = 0;
};

// The number of an ended child that nobody has reaped, which stays unreaped; 0 if there is none.
pid_t FindEndedChild();

// Takes the exit status of a child that has ended; nothing if it still runs, or will be our child only when
// the process that forked it has ended: SIGCHLD tells the end of that one, too.
std::optional<ChildEnd> ReapChild(pid_t child);

// Signals a child that is not reaped: its number is its own.
bool SignalChild(pid_t child, int signo);

// Forks a process that is a child of this one's parent, which adopts orphans. Returns 0 in the new process
// once it belongs to `parent` and dies with it; 1 here when `tell` has been called, with its number or with 0
// and an errno; -1 if nobody knows whether it was.
using ForkTeller = std::function<void(pid_t child, int error)>;
int ForkForParent(pid_t parent, const ForkTeller& tell);

}  // namespace mproc::platform
