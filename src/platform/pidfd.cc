// SPDX-License-Identifier: MIT
#include "platform/pidfd.hh"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <optional>
#include <utility>

#include "platform/raw.hh"

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

namespace mproc::platform {
namespace {

struct Stat {
  char state = 0;
  int threads = 0;
  uint64_t start_time = 0;
};

// What /proc says about a process; nothing if it says nothing.
std::optional<Stat> ReadStat(pid_t pid) {
  char path[32], text[1024];
  snprintf(path, sizeof path, "/proc/%d/stat", static_cast<int>(pid));
  auto fd = OpenFile(path, O_RDONLY, path);
  if (!fd.ok()) return std::nullopt;
  ssize_t n = read(fd->get(), text, sizeof text - 1);
  if (n <= 0) return std::nullopt;
  text[n] = '\0';
  const char* field = strrchr(text, ')');  // the name before it may hold anything
  if (!field || field[1] != ' ') return std::nullopt;
  field += 2;
  Stat stat;
  stat.state = *field;
  for (int number = 3; number < 22; number++) {  // the state is field 3
    field = strchr(field, ' ');
    if (!field) return std::nullopt;
    field++;
    if (number + 1 == 20) stat.threads = atoi(field);
    if (number + 1 == 22) stat.start_time = strtoull(field, nullptr, 10);
  }
  return stat;
}

}  // namespace

Result<UniqueFd> OpenPidfd(pid_t pid) {
  int fd = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  return TakeFd(fd, "opening a pidfd");
}

Result<pid_t> PeerPid(int socket) {
  struct ucred peer {};
  socklen_t size = sizeof peer;
  if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) {
    return Status::System("SO_PEERCRED", errno);
  }
  return peer.pid;
}

ProcessRef ProcessRef::Open(pid_t pid) {
  auto fd = OpenPidfd(pid);
  return Adopt(pid, fd.ok() ? std::move(*fd) : UniqueFd());
}

ProcessRef ProcessRef::Adopt(pid_t pid, UniqueFd pidfd) {
  ProcessRef ref;
  ref.pid_ = pid;
  ref.fd_ = std::move(pidfd);
  if (!ref.fd_.valid()) {
    auto stat = ReadStat(pid);
    if (stat) ref.start_time_ = stat->start_time;
  }
  return ref;
}

bool ProcessRef::Signal(int signo) const {
  if (!valid()) return false;
  if (fd_.valid()) {
    if (syscall(SYS_pidfd_send_signal, fd_.get(), signo, nullptr, 0) == 0) return true;
    if (errno == ESRCH) return false;
  }
  return !Ended() && kill(pid_, signo) == 0;
}

bool ProcessRef::Ended() const {
  if (!valid()) return true;
  if (fd_.valid()) {
    pollfd look{fd_.get(), POLLIN, 0};
    return poll(&look, 1, 0) > 0;
  }
  if (kill(pid_, 0) != 0 && errno == ESRCH) return true;
  siginfo_t info{};
  int what = WEXITED | WNOHANG | WNOWAIT | __WALL;
  if (waitid(P_PID, static_cast<id_t>(pid_), &info, what) == 0) return info.si_pid != 0;
  auto stat = ReadStat(pid_);
  if (!stat) return false;
  if (stat->state == 'X') return true;
  if (stat->state == 'Z') return stat->threads <= 1;  // else its first thread has ended, and others run
  return start_time_ != 0 && stat->start_time != start_time_;
}

bool ProcessRef::IsChild() const {
  if (!valid()) return false;
  siginfo_t info{};
  int what = WEXITED | WNOHANG | WNOWAIT | __WALL;
  return waitid(P_PID, static_cast<id_t>(pid_), &info, what) == 0;
}

bool ProcessRef::Reap(HowEnded* how) const {
  if (!valid()) return true;
  siginfo_t info{};
  int result = -1;
  if (fd_.valid()) {
    result = waitid(static_cast<idtype_t>(P_PIDFD), static_cast<id_t>(fd_.get()), &info,
                    WEXITED | WNOHANG | __WALL);
  }
  if (result != 0 && !(fd_.valid() && errno == ECHILD)) {
    result = waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | __WALL);
  }
  if (how && result == 0 && info.si_pid != 0) {
    bool by_itself = info.si_code == CLD_EXITED;
    *how = {true, by_itself ? info.si_status : 0, by_itself ? 0 : info.si_status};
  }
  return result != 0 || info.si_pid != 0;
}

}  // namespace mproc::platform
