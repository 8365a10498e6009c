// SPDX-License-Identifier: MIT
#include "platform/futex.hh"

#include <errno.h>
#include <linux/futex.h>
#include <poll.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <climits>

namespace mproc::platform {
namespace {

timespec ToTimespec(int64_t nanoseconds) {
  if (nanoseconds < 0) nanoseconds = 0;
  return {static_cast<time_t>(nanoseconds / 1000000000), static_cast<long>(nanoseconds % 1000000000)};
}

}  // namespace

Slept FutexWait(std::atomic<uint32_t>* word, uint32_t expected, int64_t nanoseconds, bool shared) {
  timespec limit = ToTimespec(nanoseconds);
  int op = FUTEX_WAIT | (shared ? 0 : FUTEX_PRIVATE_FLAG);
  int saved = errno;
  long r = syscall(SYS_futex, word, op, expected, nanoseconds == INT64_MAX ? nullptr : &limit, nullptr, 0);
  int error = r == 0 ? 0 : errno;
  errno = saved;
  if (error == ETIMEDOUT) return Slept::kTimedOut;
  if (error == EINTR) return Slept::kInterrupted;
  return Slept::kWoken;
}

int FutexWake(std::atomic<uint32_t>* word, int count, bool shared) {
  int saved = errno;
  long woken =
      syscall(SYS_futex, word, FUTEX_WAKE | (shared ? 0 : FUTEX_PRIVATE_FLAG), count, nullptr, nullptr, 0);
  errno = saved;
  return woken > 0 ? static_cast<int>(woken) : 0;
}

}  // namespace mproc::platform
