// SPDX-License-Identifier: MIT
#include "worker/parent.hh"

#include <algorithm>
#include <cerrno>
#include <mutex>
#include <utility>

#include "platform/fork_lock.hh"
#include "platform/fork_mark.hh"
#include "platform/identity.hh"
#include "platform/pidfd.hh"
#include "platform/poll.hh"
#include "worker/process_self.hh"

namespace mproc::worker {
namespace {

constexpr int64_t kLookAgain = 10'000'000;  // without a descriptor to sleep on

// One that was asked for, by this process or by one that forked it.
struct Known {
  const uint32_t epoch;
  const platform::ProcessRef process;
  const Known* const next;
};

platform::ForkMutex g_mutex;
constinit const Known* g_known = nullptr;  // guarded by g_mutex; never freed: others may wait at the end

// One that tells the end of a process that nobody can open any more.
Result<platform::UniqueFd> MakeRungFd() {
  auto fd = platform::MakeEventFd();
  if (fd.ok()) platform::RingEventFd(fd->get());
  return fd;
}

// Null: this very process, of which the caller is a thread. DESCRIPTOR_LIMIT, OUT_OF_MEMORY: ask again.
Result<const platform::ProcessRef*> FindParent() {
  auto pid = static_cast<pid_t>(Self().parent);
  if (pid == 0) return Status(MPROC_ERROR_END, "no process of this library started this one");
  if (pid == platform::CurrentPid()) return nullptr;
  std::lock_guard lock(g_mutex);
  for (const Known* known = g_known; known; known = known->next) {
    if (known->epoch == platform::ForkEpoch() && known->process.pid() == pid) return &known->process;
  }
  auto fd = platform::OpenPidfd(pid);  // of an ended one, too, until it is reaped
  if (fd.status().os_code() == ESRCH) fd = MakeRungFd();
  const int32_t code = fd.status().code();
  if (code == MPROC_ERROR_DESCRIPTOR_LIMIT || code == MPROC_ERROR_OUT_OF_MEMORY) return fd.status();
  auto process = platform::ProcessRef::Adopt(pid, fd.ok() ? std::move(*fd) : platform::UniqueFd());
  g_known = new Known{platform::ForkEpoch(), std::move(process), g_known};
  return &g_known->process;
}

}  // namespace

Result<int> ParentSentinel() {
  auto parent = FindParent();
  if (!parent.ok()) return parent.status();
  if (!*parent || (*parent)->fd() < 0) {
    return Status(MPROC_ERROR_UNSUPPORTED, *parent ? "the system has no descriptors of processes"
                                                   : "the parent of a process that is a thread is its own");
  }
  return (*parent)->fd();
}

Status JoinParent(const Deadline& deadline) {
  auto found = FindParent();
  if (found.status().code() == MPROC_ERROR_END) return found.status();
  platform::ProcessRef by_number;  // while no descriptor can be had
  if (!found.ok()) by_number = platform::ProcessRef::Adopt(static_cast<pid_t>(Self().parent), {});
  const platform::ProcessRef* parent = found.ok() ? *found : &by_number;
  const int fd = parent ? parent->fd() : -1;  // -1: one sleeps to the end of the time
  while (!parent || !parent->Ended()) {
    int64_t left = deadline.Remaining();
    if (left <= 0) return Status(MPROC_ERROR_TIMED_OUT);
    auto slept = platform::PollReadable(fd, parent && fd < 0 ? std::min(left, kLookAgain) : left);
    if (slept == platform::Slept::kInterrupted) return Status(MPROC_ERROR_INTERRUPTED);
  }
  return Status();
}

}  // namespace mproc::worker
