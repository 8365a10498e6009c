// SPDX-License-Identifier: MIT
#include "platform/thread_identity.hh"

#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "platform/proc_file.hh"

namespace mproc::platform {
namespace {

// The fields of /proc/TID/stat behind the name, which may hold anything: the state is the first of them.
struct ThreadStat {
  char state = '\0';  // '\0' if the file cannot be read
  uint32_t start = 0;
};

ThreadStat ReadStat(uint32_t tid) {
  ThreadStat stat;
  std::string text = ReadProcFile(static_cast<pid_t>(tid), "stat");
  size_t at = text.rfind(") ");
  if (at == std::string::npos) return stat;
  at += 2;
  stat.state = text[at];
  for (int field = 3; field < 22; field++) {
    at = text.find(' ', at);
    if (at == std::string::npos) return stat;
    at++;
  }
  stat.start = static_cast<uint32_t>(std::strtoull(text.c_str() + at, nullptr, 10));
  return stat;
}

}  // namespace

namespace internal {

thread_local constinit KnownThread g_thread;

const ThreadIdentity& AskForThread() {
  auto tid = static_cast<uint32_t>(syscall(SYS_gettid));
  g_thread.identity = {tid, static_cast<uint32_t>(getpid()), ReadStat(tid).start};
  g_thread.epoch = ForkEpoch();
  return g_thread.identity;
}

}  // namespace internal

bool ThreadHasEnded(uint32_t tid, uint32_t start) {
  if (tid == 0) return false;
  int saved = errno;
  bool gone = syscall(SYS_tkill, tid, 0) != 0 && errno == ESRCH;
  errno = saved;
  if (gone) return true;
  ThreadStat stat = ReadStat(tid);
  if (stat.state == '\0') return false;  // it ends just now, or /proc is not there
  if (stat.state == 'Z' || stat.state == 'X') return true;
  return start != 0 && stat.start != 0 && start != stat.start;
}

}  // namespace mproc::platform
