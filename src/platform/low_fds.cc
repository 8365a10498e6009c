// SPDX-License-Identifier: MIT
#include "platform/low_fds.hh"

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

namespace mproc::platform {
namespace {

void Hold(bool (&held)[3]) {
  for (int fd = 0; fd <= 2; fd++) {
    if (fcntl(fd, F_GETFD) >= 0) continue;
    int opened = open("/dev/null", O_RDWR | O_CLOEXEC);  // the lowest that is free: this one
    if (opened < 0) return;
    if (opened > 2) {  // another thread was quicker
      close(opened);
    } else {
      held[opened] = true;
    }
  }
}

void Release(bool (&held)[3]) {
  for (int fd = 0; fd <= 2; fd++) {
    if (held[fd]) close(fd);
    held[fd] = false;
  }
}

constinit bool g_held_in_child[3] = {};  // used while the fork handlers of a child run

void HoldInChild() { Hold(g_held_in_child); }
void ReleaseInChild() { Release(g_held_in_child); }

}  // namespace

LowFdsHeld::LowFdsHeld() { Hold(held_); }
LowFdsHeld::~LowFdsHeld() { Release(held_); }

// Handlers for the child run in the order of their registration.
LowFdsHeldInChildren::LowFdsHeldInChildren() { pthread_atfork(nullptr, nullptr, HoldInChild); }
LowFdsHeldInChildren::~LowFdsHeldInChildren() { pthread_atfork(nullptr, nullptr, ReleaseInChild); }

}  // namespace mproc::platform
