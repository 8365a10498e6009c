// SPDX-License-Identifier: MIT
//
// How to start a process that the host cannot see
//
// A direct child is always seen: even one whose exit signal is 0 becomes an ordinary child when it calls
// exec. So there are two steps. The host clones an intermediate with exit signal 0, and the intermediate
// clones the program and ends, which leaves the program to the reaper of orphans. The intermediate never
// calls exec, so only waitpid with __WALL or __WCLONE could see it, for a millisecond; here it is reaped with
// __WALL, and if somebody else was quicker, that is as good.
//
// Both clones share the host's memory (no page tables are copied, however large the host is) and hold up
// whoever called them until the child is through, so that one thread at a time runs on that memory. The
// children run on stacks of their own. All signals are blocked from before the first clone until the second
// child has put the dispositions back to their defaults: no handler of the host can run in a child. The
// intermediate shares the descriptors as well, so that the pidfd which the second clone makes is the host's.
// It reports through a pipe, because tools like valgrind turn shared memory into a copy.
//
// A host that is itself the reaper (process 1 of a container, a subreaper) does get the program as its child;
// Launched::is_child tells.
#include "platform/launch.hh"

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "platform/cancellation.hh"
#include "platform/launch_steps.hh"
#include "platform/raw.hh"
#include "platform/sanitizer.hh"
#include "platform/thread.hh"

namespace mproc::platform {
namespace {

using internal::LaunchPlan;
using internal::LaunchReport;
using internal::LaunchWay;

constexpr size_t kStackSize = 64 * 1024;
constexpr int kFirstSpareFd = 6;  // above every number that the program gets on its way

// Stacks for both children, with nothing accessible below each.
class Stacks {
 public:
  Stacks() {
    long page = sysconf(_SC_PAGESIZE);
    guard_ = page > 0 ? static_cast<size_t>(page) : 4096;
    size_ = 2 * (guard_ + kStackSize);
    void* memory =
        mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (memory == MAP_FAILED) return;
    base_ = static_cast<std::byte*>(memory);
    mprotect(base_, guard_, PROT_NONE);
    mprotect(base_ + size_ / 2, guard_, PROT_NONE);
  }
  ~Stacks() {
    if (base_) munmap(base_, size_);
  }
  Stacks(const Stacks&) = delete;
  Stacks& operator=(const Stacks&) = delete;

  bool ok() const { return base_ != nullptr; }
  std::byte* first() const { return base_ + size_ / 2; }
  std::byte* second() const { return base_ + size_; }

 private:
  std::byte* base_ = nullptr;
  size_t guard_ = 0;
  size_t size_ = 0;
};

bool UnderValgrind() {
  auto look = [](dl_phdr_info* info, size_t, void*) {
    return info->dlpi_name && strstr(info->dlpi_name, "/vgpreload_") ? 1 : 0;
  };
  return dl_iterate_phdr(look, nullptr) != 0;
}

LaunchWay FirstWay() {
  if (HasThreadSanitizer()) return LaunchWay::kCopy;
  return UnderValgrind() ? LaunchWay::kSharedMemory : LaunchWay::kSharedAll;
}

bool IsRefusal(int error) { return error == EINVAL || error == ENOSYS || error == EPERM; }

Result<UniqueFd> SpareCopy(int fd) {
  int copy = fcntl(fd, F_DUPFD_CLOEXEC, kFirstSpareFd);
  if (copy >= 0) return UniqueFd(copy);
  // With a limit this low the number itself is what is refused.
  return Status::System("duplicating a descriptor", errno == EINVAL ? EMFILE : errno);
}

// What one attempt came to. `refused`: try the next way.
struct Attempt {
  Status status;
  bool refused = false;
  pid_t pid = 0;
  UniqueFd pidfd;
};

void Reap(pid_t intermediate) {
  while (waitpid(intermediate, nullptr, __WALL) < 0 && errno == EINTR) {
  }
}

Attempt Try(LaunchPlan plan) {
  Attempt attempt;
  int ends[2];
  if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) {
    attempt.status = Status::System("making a pipe", errno);
    return attempt;
  }
  UniqueFd reader(ends[0]);
  auto writer = SpareCopy(ends[1]);
  close(ends[1]);
  if (!writer.ok()) {
    attempt.status = writer.status();
    return attempt;
  }
  plan.report = writer->get();
  plan.exec_failed = 0;
  int intermediate;
  {
    AllSignalsBlocked blocked;
    intermediate = internal::StartIntermediate(&plan);
    if (intermediate > 0) Reap(intermediate);
  }
  if (intermediate < 0) {
    attempt.status = Status::System("cloning a process", -intermediate);
    attempt.refused = IsRefusal(-intermediate);
    return attempt;
  }
  // The intermediate has ended, so all reports are in the pipe. All are read before any memory is asked for:
  // the last one may bring a pidfd.
  LaunchReport report, cause{};
  while (read(reader.get(), &report, sizeof report) == static_cast<ssize_t>(sizeof report)) {
    if (report.pidfd >= 0) attempt.pidfd = UniqueFd(report.pidfd);
    if (report.stage != LaunchReport::kGone) cause = report;  // else another report has told why
  }
  switch (cause.stage) {
    case LaunchReport::kRuns:
      attempt.pid = cause.pid;
      break;
    case LaunchReport::kNoClone:
      attempt.refused = IsRefusal(cause.error);
      attempt.status = Status::System("cloning a process", cause.error);
      break;
    case LaunchReport::kNoPipe:
      attempt.status = Status::System("making a pipe", cause.error);
      break;
    case LaunchReport::kNoExec:
      attempt.status = Status::System(std::string("starting ") + plan.program, cause.error);
      break;
    default:
      attempt.status = Status(MPROC_ERROR_SYSTEM, "a process ended before it could start another");
  }
  return attempt;
}

}  // namespace

Result<Launched> Launch(const LaunchOrder& order) {
  CancellationOff no_cancel;
  Stacks stacks;
  if (!stacks.ok()) return Status::System("a stack for starting a process", errno);
  auto opened = OpenNull();
  if (!opened.ok()) return opened.status();
  auto null = SpareCopy(opened->get());
  if (!null.ok()) return null.status();
  auto control = SpareCopy(order.control);
  if (!control.ok()) return control.status();
  UniqueFd host;  // without it the program looks after the host by its number
  auto self = OpenPidfd(getpid());
  if (self.ok()) {
    auto copy = SpareCopy(self->get());
    if (!copy.ok()) return copy.status();
    host = std::move(*copy);
  } else if (self.status().code() == MPROC_ERROR_DESCRIPTOR_LIMIT) {
    return self.status();
  }

  LaunchPlan plan{};
  plan.program = order.program;
  plan.arguments = const_cast<char* const*>(order.arguments);
  plan.environment = order.environment ? const_cast<char* const*>(order.environment) : environ;
  plan.control = control->get();
  plan.host = host.get();
  plan.null = null->get();
  plan.intermediate_stack = stacks.first();
  plan.program_stack = stacks.second();
  plan.way = FirstWay();
  Attempt attempt = Try(plan);
  while (attempt.refused && plan.way != LaunchWay::kCopy) {
    plan.way = plan.way == LaunchWay::kSharedAll ? LaunchWay::kSharedMemory : LaunchWay::kCopy;
    attempt = Try(plan);
  }
  if (!attempt.status.ok()) return attempt.status;

  Launched launched;
  if (attempt.pidfd.valid()) {
    auto high = TakeFd(attempt.pidfd.Release(), "a pidfd");
    if (high.ok()) attempt.pidfd = std::move(*high);
  }
  launched.process = attempt.pidfd.valid() ? ProcessRef::Adopt(attempt.pid, std::move(attempt.pidfd))
                                           : ProcessRef::Open(attempt.pid);
  launched.is_child = launched.process.IsChild();
  return launched;
}

}  // namespace mproc::platform
