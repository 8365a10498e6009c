// SPDX-License-Identifier: MIT
// Keeps children that the host forks from holding our descriptors: all that are registered here are closed
// in such a child before fork() returns there. Any thread.
#pragma once

#include "platform/fd.hh"
#include "platform/fork_mark.hh"

namespace mproc::runtime {

// Begins to watch for forks. Idempotent.
Status StartForkGuard();

// Registers a descriptor; take it off before it is closed.
void GuardFd(int fd);
void UnguardFd(int fd);

// Closes what was inherited, if this is a forked child and it has not been done. A fresh runtime calls it
// for children of the raw system call, in which no fork handler ran.
void CloseInheritedFds();

// Owns a descriptor that forked children do not get. Movable, not thread-safe.
class GuardedFd {
 public:
  GuardedFd() = default;
  explicit GuardedFd(platform::UniqueFd fd) : fd_(std::move(fd)) { GuardFd(fd_.get()); }
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
    UnguardFd(fd_.get());
    fd_.Reset();
  }
  // The descriptor, which children get from now on.
  platform::UniqueFd Release() {
    UnguardFd(fd_.get());
    return std::move(fd_);
  }

 private:
  platform::UniqueFd fd_;
};

}  // namespace mproc::runtime
