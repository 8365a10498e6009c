// SPDX-License-Identifier: MIT
// A process that is not (always) our child: signalled, watched, and never mistaken for a later one with its
// number. By a pidfd; without them by number and start time. Movable, not thread-safe.
#pragma once

#include <sys/types.h>

#include <cstdint>

#include "platform/fd.hh"

namespace mproc::platform {

// A pidfd of a process; UNSUPPORTED or SYSTEM if there is none to be had.
Result<UniqueFd> OpenPidfd(pid_t pid);

// The process that made a socket pair, asked at either end.
Result<pid_t> PeerPid(int socket);

struct HowEnded {
  bool known = false;  // false: somebody else took the status
  int code = 0;
  int signal = 0;  // 0 if it ended by itself
};

class ProcessRef {
 public:
  ProcessRef() = default;
  // The process that has this number now. Never fails: what cannot be had by pidfd is had by number.
  static ProcessRef Open(pid_t pid);
  // The process behind a pidfd that somebody else opened. Without one as Open.
  static ProcessRef Adopt(pid_t pid, UniqueFd pidfd);

  bool valid() const { return pid_ > 0; }
  pid_t pid() const { return pid_; }
  // Becomes readable when the process ends; -1 without pidfd.
  int fd() const { return fd_.get(); }

  // False if it has ended or we may not.
  bool Signal(int signo) const;
  // True once it runs no more, reaped or not.
  bool Ended() const;
  // True if it is a child of this process (not yet reaped).
  bool IsChild() const;
  // Takes its exit status if it is an ended child of ours, and tells it in `how` (may be null); does not
  // wait. True if there is nothing to reap any more.
  bool Reap(HowEnded* how = nullptr) const;

 private:
  pid_t pid_ = 0;
  UniqueFd fd_;
  uint64_t start_time_ = 0;  // in clock ticks since boot; 0 = unknown (there is a pidfd, or no /proc)
};

}  // namespace mproc::platform
