// SPDX-License-Identifier: MIT
// Stands in for mproc-worker where a test looks at processes only: the launcher, and children that do one
// thing each.
//
//   fake_worker --launcher       the launcher
//   fake_worker exit CODE        ends
//   fake_worker abort            dies by SIGABRT
//   fake_worker wait             ends at the end of descriptor 3
//   fake_worker stay             never ends by itself; dies with its launcher
//   fake_worker stubborn         the same, and it ignores SIGTERM
//   fake_worker report           writes what it was given to descriptor 3
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "launcher/launcher_main.hh"
#include "platform/child.hh"

namespace {

void WaitForEnd() {
  char byte;
  while (read(3, &byte, 1) > 0) {
  }
}

std::string Target(int fd) {
  char name[32], path[512];
  snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
  ssize_t n = readlink(name, path, sizeof path);
  return n > 0 ? std::string(path, static_cast<size_t>(n)) : "none";
}

std::string OpenDescriptors() {
  std::string open;
  for (int fd = 0; fd < 1024; fd++) {
    if (fcntl(fd, F_GETFD) >= 0) open += (open.empty() ? "" : ",") + std::to_string(fd);
  }
  return open;
}

int Report() {
  sigset_t blocked;
  sigprocmask(SIG_SETMASK, nullptr, &blocked);
  int blocked_count = 0, ignored_count = 0;
  for (int signo = 1; signo < 65; signo++) {
    struct sigaction action {};
    if (sigismember(&blocked, signo) == 1) blocked_count++;
    if (sigaction(signo, nullptr, &action) == 0 && action.sa_handler == SIG_IGN) ignored_count++;
  }
  char directory[512] = "";
  if (!getcwd(directory, sizeof directory)) directory[0] = '\0';
  mode_t mask = umask(0);
  const char* extra = getenv("MPROC_TEST_EXTRA");
  char text[4096];
  int size = snprintf(
      text, sizeof text,
      "cwd=%s umask=%03o uid=%d sid=%d ppid=%d in=%s out=%s err=%s fds=%s extra=%s blocked=%d "
      "ignored=%d",
      directory, static_cast<unsigned>(mask), static_cast<int>(getuid()), static_cast<int>(getsid(0)),
      static_cast<int>(getppid()), Target(0).c_str(), Target(1).c_str(), Target(2).c_str(),
      OpenDescriptors().c_str(), extra ? extra : "", blocked_count, ignored_count);
  return write(3, text, static_cast<size_t>(size)) == size ? 0 : 1;
}

int BeChild(const std::string& what, const char* code) {
  if (what == "report") return Report();
  mproc::platform::DieWithLauncher();
  if (what == "exit") return code ? atoi(code) : 0;
  if (what == "abort") {
    prctl(PR_SET_DUMPABLE, 0);  // no core file
    abort();
  }
  if (what == "wait") {
    WaitForEnd();
    return 0;
  }
  if (what == "stubborn") signal(SIGTERM, SIG_IGN);
  if (what == "stay" || what == "stubborn") {
    for (;;) pause();
  }
  return 64;
}

}  // namespace

int main(int argc, char** argv) {
  std::string what = argc > 1 ? argv[1] : "";
  if (what == "--launcher") return mproc::launcher::LauncherMain();
  _exit(BeChild(what, argc > 2 ? argv[2] : nullptr));  // without the exit handlers of sanitizers
}
