// SPDX-License-Identifier: MIT
#include "platform/child.hh"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <initializer_list>

#include "platform/fd.hh"
#include "platform/raw.hh"
#include "platform/streams.hh"

namespace mproc::platform {
namespace {

constexpr int kSignals = 64;

struct DirectoryEntry {  // as getdents64 writes it
  uint64_t inode;
  int64_t offset;
  uint16_t length;
  uint8_t type;
  char name[];
};

// Closes what /proc/self/fd lists; false if it is not there.
MPROC_IN_CHILD bool CloseListed(int lowest) {
  alignas(8) char buffer[2048];
  long list = syscall(SYS_openat, AT_FDCWD, "/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
  if (list < 0) return false;
  for (bool again = true; again;) {  // closing may shift what is listed next
    again = false;
    syscall(SYS_lseek, list, 0L, SEEK_SET);
    for (;;) {
      long size = syscall(SYS_getdents64, list, buffer, sizeof buffer);
      if (size <= 0) break;
      for (long at = 0; at < size;) {
        auto* entry = reinterpret_cast<DirectoryEntry*>(buffer + at);
        at += entry->length;
        long fd = 0;
        const char* digit = entry->name;
        if (*digit < '0' || *digit > '9') continue;
        for (; *digit != '\0'; digit++) fd = fd * 10 + (*digit - '0');
        if (fd >= lowest && fd != list && syscall(SYS_close, fd) == 0) again = true;
      }
    }
  }
  syscall(SYS_close, list);
  return true;
}

}  // namespace

MPROC_IN_CHILD void ResetSignals() {
  // All zero is SIG_DFL without flags in every form that the kernel's structure has.
  uint64_t action[8];
  for (uint64_t& word : action) *const_cast<volatile uint64_t*>(&word) = 0;
  for (int signo = 1; signo <= kSignals; signo++) {
    syscall(SYS_rt_sigaction, signo, action, nullptr, sizeof(uint64_t));
  }
  syscall(SYS_rt_sigprocmask, SIG_SETMASK, action, nullptr, sizeof(uint64_t));
}

MPROC_IN_CHILD void CloseFrom(int lowest) {
  if (syscall(SYS_close_range, lowest, ~0U, 0) == 0) return;
  if (CloseListed(lowest)) return;
  rlimit limit{};
  syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, nullptr, &limit);
  long highest = limit.rlim_cur > 65536 ? 65536 : static_cast<long>(limit.rlim_cur);
  for (long fd = lowest; fd < highest; fd++) syscall(SYS_close, fd);
}

MPROC_IN_CHILD bool SetParentDeathSignal(int signo, pid_t parent) {
  syscall(SYS_prctl, PR_SET_PDEATHSIG, signo, 0L, 0L, 0L);
  return syscall(SYS_getppid) == parent;
}

void DieWithLauncher() {
  const char* text = getenv(kLauncherPidVariable);
  if (!text) return;
  pid_t launcher = static_cast<pid_t>(strtol(text, nullptr, 10));
  unsetenv(kLauncherPidVariable);
  if (!SetParentDeathSignal(SIGKILL, launcher)) _exit(255);
}

void SettleInBackground(const char* name) {
  setsid();  // fails only for who leads a group already
  for (int signo : {SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGPIPE, SIGALRM}) signal(signo, SIG_IGN);
  NameProcess(name);
  if (chdir("/") != 0) return;  // then it stays where it is
}

Result<pid_t> Fork() {
  pid_t pid = fork();
  if (pid < 0) return Status::System("forking this process", errno);
  return pid;
}

void SettleAsFork(pid_t host, const char* name) {
  if (!SetParentDeathSignal(SIGKILL, host)) _exit(255);
  setsid();
  NameProcess(name);
  struct sigaction action {};
  action.sa_handler = SIG_DFL;
  // Not those that the C library keeps for itself: it believes that its handlers are there, and does not
  // let them go either.
  for (int signo = 1; signo <= kSignals; signo++) sigaction(signo, &action, nullptr);
  PlaceFd(-1, STDIN_FILENO, true);
  DropStandardStreams();
  sigset_t none;
  sigemptyset(&none);
  pthread_sigmask(SIG_SETMASK, &none, nullptr);
}

void LeaveAtOnce(int code) { _exit(code); }

void NameProcess(const char* name) { prctl(PR_SET_NAME, name, 0, 0, 0); }

bool PlaceFd(int fd, int number, bool keep) {
  UniqueFd null;
  if (fd < 0) {
    auto opened = OpenNull();
    if (!opened.ok()) return false;
    null = std::move(*opened);
    fd = null.get();
  }
  return dup3(fd, number, keep ? 0 : O_CLOEXEC) >= 0;
}

Status BecomeProgram(char* const* arguments) {
  execvp(arguments[0], arguments);
  return Status::System(std::string("running the program '") + arguments[0] + "'", errno);
}

bool SetCloseOnExec(int fd) { return fcntl(fd, F_SETFD, FD_CLOEXEC) == 0; }

}  // namespace mproc::platform
