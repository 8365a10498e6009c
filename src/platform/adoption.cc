// SPDX-License-Identifier: MIT
//
// Why two forks
//
// clone has a flag for a child of one's parent (CLONE_PARENT), but fork() of the C library does not pass it,
// and without that fork() no pthread_atfork handler of a module runs and the C library of the child takes
// itself for its parent. So an intermediate forks and ends, and the child goes to the next process above that
// adopts orphans. The intermediate shares memory and stack with its parent, which sleeps meanwhile (vfork):
// it costs some 30 us, and what fork() leaves in memory is what it would have left there anyway.
//
// The parent-death signal comes at the end of whoever is the parent when it is asked for, so the child waits
// for the end of the intermediate first: a few microseconds, in which it yields.
#include "platform/adoption.hh"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform/child.hh"

namespace mproc::platform {
namespace {

constexpr int kUnknownCode = 255;

}  // namespace

bool AdoptOrphans() { return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0; }

pid_t ParentPid() { return getppid(); }

pid_t FindEndedChild() {
  siginfo_t info{};
  if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0) return 0;
  return info.si_pid;
}

std::optional<ChildEnd> ReapChild(pid_t child) {
  int status = 0;
  pid_t got;
  while ((got = waitpid(child, &status, WNOHANG)) < 0 && errno == EINTR) {
  }
  if (got <= 0) return std::nullopt;
  if (WIFSIGNALED(status)) return ChildEnd{0, WTERMSIG(status)};
  return ChildEnd{WEXITSTATUS(status), 0};
}

bool SignalChild(pid_t child, int signo) { return kill(child, signo) == 0; }

// Not inlined: what the intermediate does to this frame, nobody looks at afterwards.
[[gnu::noinline]] int ForkForParent(pid_t parent, const ForkTeller& tell) {
  pid_t between = vfork();
  if (between < 0) {
    tell(0, errno);
    return 1;
  }
  if (between > 0) {
    int status = 0;
    while (waitpid(between, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(status) ? 1 : -1;
  }
  const pid_t own = getpid();
  const pid_t child = fork();
  if (child != 0) {
    tell(child > 0 ? child : 0, errno);
    _exit(0);
  }
  while (getppid() == own) sched_yield();
  if (!SetParentDeathSignal(SIGKILL, parent)) _exit(kUnknownCode);
  return 0;
}

}  // namespace mproc::platform
