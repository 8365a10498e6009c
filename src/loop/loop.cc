// SPDX-License-Identifier: MIT
#include "loop/loop.hh"

#include <uv.h>

#include <cassert>
#include <mutex>
#include <new>
#include <vector>

#include "platform/fd.hh"
#include "platform/low_fds.hh"

#if defined(__SANITIZE_THREAD__)
extern "C" void __sanitizer_syscall_pre_impl_close(long fd);
#endif

namespace mproc::loop {
namespace {

// The first loop of a process makes libuv open descriptors of its own, and libuv aborts the process if there
// are none. So look first: epoll, eventfd and two pipes are six.
constexpr int kDescriptorsOfALoop = 8;

Status ProbeDescriptors() {
  std::vector<platform::UniqueFd> probes;
  auto first = platform::OpenNull();
  if (!first.ok()) return first.status();
  for (int i = 1; i < kDescriptorsOfALoop; i++) {
    auto copy = platform::DuplicateFd(first->get());
    if (!copy.ok()) return copy.status();
    probes.push_back(std::move(*copy));
  }
  return Status();
}

// libuv takes the lowest numbers that are free, and aborts when it is to close one below 3. Its first loop
// registers a fork handler that opens two descriptors anew in each forked child.
int InitGuarded(uv_loop_t* loop) {
  platform::LowFdsHeld held;
  static std::once_flag first;
  int error = 0;
  bool done = false;
  std::call_once(first, [&] {
    platform::LowFdsHeldInChildren held_in_children;
    error = uv_loop_init(loop);
    done = true;
  });
  return done ? error : uv_loop_init(loop);
}

// libuv closes its descriptors by the raw system call, which the thread sanitizer does not see: it would take
// the next use of the numbers for use of the same descriptors.
void TellSanitizer([[maybe_unused]] const std::array<int, 5>& closing) {
#if defined(__SANITIZE_THREAD__)
  for (int fd : closing) {
    if (fd >= 0) __sanitizer_syscall_pre_impl_close(fd);
  }
#endif
}

}  // namespace

Status LoopError(const char* what, int uv_error) {
  return Status::System(what, -uv_error);  // libuv's numbers are negated errnos
}

Status Loop::Init() {
  Status status = ProbeDescriptors();
  if (!status.ok()) return status;
  auto* loop = new (std::nothrow) uv_loop_t;
  if (!loop) return Status(MPROC_ERROR_OUT_OF_MEMORY);
  int error = InitGuarded(loop);
  if (error != 0) {
    delete loop;
    return LoopError("making an event loop", error);
  }
  loop_ = loop;
  return Status();
}

void Loop::Run() { uv_run(loop_, UV_RUN_DEFAULT); }

void Loop::RunDue() { uv_run(loop_, UV_RUN_NOWAIT); }

void Loop::Stop() { uv_stop(loop_); }

void Loop::Close() {
  if (!loop_) return;
  // Handles that were closed get their memory back in the loop's next rounds.
  for (int round = 0; uv_loop_alive(loop_) && round < 64; round++) uv_run(loop_, UV_RUN_NOWAIT);
  TellSanitizer(Descriptors());
  int error = uv_loop_close(loop_);
  assert(error == 0 && "a handle was left on the loop");
  if (error == 0) delete loop_;
  loop_ = nullptr;
}

std::array<int, 5> Loop::Descriptors() const {
  if (!loop_) return {-1, -1, -1, -1, -1};
  return {uv_backend_fd(loop_), loop_->async_io_watcher.fd, loop_->async_wfd, loop_->signal_pipefd[0],
          loop_->signal_pipefd[1]};
}

}  // namespace mproc::loop
