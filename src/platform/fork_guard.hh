// SPDX-License-Identifier: MIT
// Keeps children that the host forks from holding our descriptors: all that are registered here are closed
// in such a child before fork() returns there. Any thread.
//
// No fork may come between the making of a descriptor and its registering, nor between its last moment here
// and its end. So both are done under NoForks.
#pragma once

#include <mutex>
#include <utility>

#include "platform/fd.hh"
#include "platform/fork_lock.hh"
#include "platform/fork_mark.hh"

namespace mproc::platform {

// Begins to watch for forks. Idempotent.
Status StartForkGuard();

// Registers a descriptor; take it off before it is closed.
void GuardFd(int fd);
void UnguardFd(int fd);

// Closes what was inherited, if this is a forked child and it has not been done. A fresh runtime calls it
// for children of the raw system call, in which no fork handler ran.
void CloseInheritedFds();

// While one lives, no fork of this process begins. A leaf: whoever holds it locks nothing else and waits for
// nobody.
class NoForks {
 public:
  NoForks() : held_(g_mutex) {}

 private:
  static ForkMutex g_mutex;
  std::lock_guard<ForkMutex> held_;
};

// Owns a descriptor that forked children do not get. Movable, not thread-safe.
class GuardedFd {
 public:
  GuardedFd() = default;
  explicit GuardedFd(UniqueFd fd) : fd_(std::move(fd)) { GuardFd(fd_.get()); }
  GuardedFd(GuardedFd&& other) noexcept = default;
  GuardedFd& operator=(GuardedFd&& other) noexcept {
    if (this != &other) {
      Reset();
      fd_ = std::move(other.fd_);
    }
    return *this;
  }
  ~GuardedFd() { Reset(); }

  int get() const { return fd_.get(); }
  bool valid() const { return fd_.valid(); }
  void Reset() {
    if (!fd_.valid()) return;
    NoForks no_forks;
    UnguardFd(fd_.get());
    fd_.Reset();
  }
  // The descriptor, which children get from now on.
  UniqueFd Release() {
    UnguardFd(fd_.get());
    return std::move(fd_);
  }

 private:
  UniqueFd fd_;
};

using GuardedEnds = std::pair<GuardedFd, GuardedFd>;

// Descriptors that are registered before anybody can fork; the errors of their makers in `platform`.
Result<GuardedFd> DuplicateGuarded(int fd);
Result<GuardedEnds> MakeGuardedSocketPair();
Result<GuardedEnds> MakeGuardedPipe(Writes writes);

}  // namespace mproc::platform
