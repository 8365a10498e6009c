// SPDX-License-Identifier: MIT
#include "platform/thread_identity.hh"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "platform/fd.hh"

namespace mproc::platform {
namespace {

// The fields of /proc/TID/stat behind the name, which may hold anything: the state is the first of them.
struct ThreadStat {
  char state = '\0';  // '\0' if the file cannot be read
  uint32_t start = 0;
};

// Asked in the middle of calls on locks: it allocates nothing, and no thread can be cancelled in it.
ThreadStat ReadStat(uint32_t tid) {
  ThreadStat stat;
  char text[1024];
  std::snprintf(text, sizeof text, "/proc/%u/stat", tid);
  int saved = errno;
  UniqueFd file(static_cast<int>(syscall(SYS_openat, AT_FDCWD, text, O_RDONLY | O_CLOEXEC)));
  long size = file ? syscall(SYS_read, file.get(), text, sizeof text - 1) : 0;
  errno = saved;
  text[size > 0 ? size : 0] = '\0';
  const char* at = std::strrchr(text, ')');
  if (!at || at[1] != ' ') return stat;
  stat.state = at[2];
  for (int field = 2; at && field < 22; field++) at = std::strchr(at + 1, ' ');
  if (at) stat.start = static_cast<uint32_t>(std::strtoull(at, nullptr, 10));
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
