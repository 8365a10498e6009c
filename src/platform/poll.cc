// SPDX-License-Identifier: MIT
#include "platform/poll.hh"

#include <errno.h>
#include <poll.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <vector>

namespace mproc::platform {
namespace {

Slept Poll(pollfd* entries, size_t count, int64_t nanoseconds, int* os_code) {
  if (nanoseconds < 0) nanoseconds = 0;
  timespec limit = {static_cast<time_t>(nanoseconds / 1000000000),
                    static_cast<long>(nanoseconds % 1000000000)};
  int saved = errno;
  long r = syscall(SYS_ppoll, entries, count, nanoseconds == INT64_MAX ? nullptr : &limit, nullptr, 0);
  *os_code = r < 0 ? errno : 0;
  errno = saved;
  if (*os_code == EINTR) return Slept::kInterrupted;
  return r > 0 ? Slept::kWoken : Slept::kTimedOut;
}

}  // namespace

Slept PollFd(int fd, Ready ready, int64_t nanoseconds) {
  pollfd entry{fd, static_cast<short>(ready == Ready::kRead ? POLLIN : POLLOUT), 0};
  int os_code = 0;
  return Poll(&entry, 1, nanoseconds, &os_code);
}

Result<Slept> PollMany(std::span<Polled> polled, int64_t nanoseconds) {
  std::vector<pollfd> entries;
  entries.reserve(polled.size());
  for (const Polled& p : polled) entries.push_back({p.fd, POLLIN, 0});
  int os_code = 0;
  Slept slept = Poll(entries.data(), entries.size(), nanoseconds, &os_code);
  if (os_code && os_code != EINTR) return Status::System("waiting for many descriptors", os_code);
  for (size_t i = 0; i < polled.size(); i++) {
    short events = slept == Slept::kWoken ? entries[i].revents : short{0};
    polled[i].bad = (events & POLLNVAL) != 0;
    polled[i].ready = events != 0 && !polled[i].bad;
  }
  return slept;
}

}  // namespace mproc::platform
