// SPDX-License-Identifier: MIT
#include "platform/launch_steps.hh"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/wait.h>

#include "platform/child.hh"
#include "platform/launch.hh"
#include "platform/raw.hh"

#ifndef CLONE_PIDFD
#define CLONE_PIDFD 0x1000
#endif

namespace mproc::platform::internal {
namespace {

constexpr int kLaunchedReport = 5;  // until the exec closes it

MPROC_IN_CHILD void Write(int fd, int stage, int error, int pid, int pidfd) {
  LaunchReport report;
  report.stage = stage;
  report.error = error;
  report.pid = pid;
  report.pidfd = pidfd;
  syscall(SYS_write, fd, &report, sizeof report);
}

[[noreturn]] MPROC_IN_CHILD void Exit(int code) {
  for (;;) syscall(SYS_exit_group, code);  // not _exit: that one may be watched by a sanitizer
}

// Runs `step` in a child that shares what `flags` say. Its pid or a negated errno. Without shared memory it
// goes on with a copy of this stack, as fork does.
MPROC_IN_CHILD int StartChild(int (*step)(void*), std::byte* stack, int flags, LaunchPlan* plan, int* pidfd) {
  if (flags & CLONE_VM) {
    int pid = clone(step, stack, flags, plan, pidfd);
    return pid >= 0 ? pid : -errno;
  }
  long pid = syscall(SYS_clone, 0L, 0L, 0L, 0L, 0L);
  if (pid == 0) step(plan);
  return pid >= 0 ? static_cast<int>(pid) : -errno;
}

// The second child: puts its descriptors in place and becomes the program.
MPROC_IN_CHILD int BecomeProgram(void* argument) {
  auto* plan = static_cast<LaunchPlan*>(argument);
  for (int fd = 0; fd <= 2; fd++) syscall(SYS_dup3, plan->null, fd, 0);
  syscall(SYS_dup3, plan->control, kLaunchedControl, 0);
  if (plan->host >= 0) {
    syscall(SYS_dup3, plan->host, kLaunchedHost, 0);
  } else {
    syscall(SYS_close, kLaunchedHost);
  }
  syscall(SYS_dup3, plan->report, kLaunchedReport, O_CLOEXEC);
  CloseFrom(kLaunchedReport + 1);
  ResetSignals();
  syscall(SYS_execve, plan->program, plan->arguments, plan->environment);
  int error = errno;
  plan->exec_failed = error;
  Write(kLaunchedReport, LaunchReport::kNoExec, error, 0, -1);
  Exit(127);
}

MPROC_IN_CHILD int StartProgram(LaunchPlan* plan, int* pidfd) {
  int flags = plan->way == LaunchWay::kCopy ? 0 : CLONE_VM | CLONE_VFORK;
  if (plan->way == LaunchWay::kSharedAll) {
    int pid = StartChild(BecomeProgram, plan->program_stack, flags | CLONE_PIDFD, plan, pidfd);
    if (pid != -EINVAL && pid != -ENOSYS && pid != -EPERM) return pid;
    *pidfd = -1;
  }
  return StartChild(BecomeProgram, plan->program_stack, flags, plan, nullptr);
}

// The first child: exists so that the program has another parent than the host when it starts.
MPROC_IN_CHILD int BeIntermediate(void* argument) {
  auto* plan = static_cast<LaunchPlan*>(argument);
  int host_report = plan->report;
  // A pipe of our own tells whether the exec went well where the clone does not wait for that. Not where the
  // descriptors are the host's as well: there a child that the host forks could hold the pipe open.
  bool own_pipe = plan->way != LaunchWay::kSharedAll;
  int pipe[2] = {-1, -1};
  if (own_pipe) {
    if (syscall(SYS_pipe2, pipe, O_CLOEXEC) != 0) {
      Write(host_report, LaunchReport::kNoPipe, errno, 0, -1);
      Exit(1);
    }
    long high = syscall(SYS_fcntl, pipe[1], F_DUPFD_CLOEXEC, kLaunchedReport + 1);
    if (high < 0) {
      Write(host_report, LaunchReport::kNoPipe, errno, 0, -1);
      Exit(1);
    }
    syscall(SYS_close, pipe[1]);
    plan->report = static_cast<int>(high);
  }
  int pidfd = -1;
  int pid = StartProgram(plan, &pidfd);
  if (pid < 0) {
    Write(host_report, LaunchReport::kNoClone, -pid, 0, -1);
    Exit(1);
  }
  bool failed = plan->exec_failed != 0;
  if (own_pipe) {
    syscall(SYS_close, plan->report);
    LaunchReport report;
    if (syscall(SYS_read, pipe[0], &report, sizeof report) == static_cast<long>(sizeof report)) {
      failed = true;
      Write(host_report, report.stage, report.error, 0, -1);
    }
  }
  if (failed) syscall(SYS_wait4, pid, nullptr, __WALL, nullptr);
  Write(host_report, failed ? LaunchReport::kGone : LaunchReport::kRuns, 0, pid, pidfd);
  Exit(0);
}

}  // namespace

int StartIntermediate(LaunchPlan* plan) {
  int flags = 0;  // the exit signal is none: the host gets no SIGCHLD
  if (plan->way != LaunchWay::kCopy) flags |= CLONE_VM | CLONE_VFORK;
  if (plan->way == LaunchWay::kSharedAll) flags |= CLONE_FILES;
  return StartChild(BeIntermediate, plan->intermediate_stack, flags, plan, nullptr);
}

}  // namespace mproc::platform::internal
