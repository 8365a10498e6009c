// SPDX-License-Identifier: MIT
#include "runtime/thread_children.hh"

#include <new>
#include <utility>

#include "platform/fork_guard.hh"
#include "platform/identity.hh"
#include "platform/signals.hh"
#include "platform/thread.hh"

namespace mproc::runtime {
namespace {

constexpr char kName[] = "mproc-worker";
constexpr size_t kStackSize = size_t{8} << 20;  // as the main thread of a worker process has

}  // namespace

// What the thread does, and what it leaves behind: a task may end it by pthread_exit, and then only
// destructors run.
struct ThreadChildren::Run {
  ~Run() {
    socket.Reset();
    if (began) children->Report(id, {true, code, 0});
  }
  void operator()() {
    began = true;
    children->engine_.Post([child = id, told = observer] {
      if (auto one = told.lock()) one->OnStarted(child, platform::CurrentPid());
    });
    code = body(socket.get());
  }

  ThreadChildren* children;
  uint64_t id;
  std::weak_ptr<ChildObserver> observer;
  ChildBody body;  // keeps the runtime, and with it `children`
  platform::GuardedFd socket;
  bool began = false;  // else nobody is told: the start has failed
  int code = 0;
};

Result<uint64_t> ThreadChildren::Start(const StartRequest& request, std::weak_ptr<ChildObserver> observer) {
  auto socket = platform::DuplicateGuarded(request.channel_fd);
  if (!socket.ok()) return socket.status();
  std::shared_ptr<Run> run(new Run{this, 0, observer, request.body, std::move(*socket)});
  uint64_t id = 0;
  {
    std::lock_guard lock(mutex_);
    if (ending_) return Status(MPROC_ERROR_NOT_RUNNING, "the runtime is being ended");
    run->id = id = next_id_++;
    children_.emplace(id, std::move(observer));
  }
  Status started = StartThread(std::move(run));
  if (started.ok()) return id;
  std::lock_guard lock(mutex_);
  children_.erase(id);
  return started;
}

// The run is the thread's alone: where it goes, it tells of the end.
Status ThreadChildren::StartThread(std::shared_ptr<Run> run) try {
  platform::Thread thread;
  Status started = thread.Start(
      kName, kStackSize, [run = std::move(run)] { (*run)(); }, platform::Thread::Runs::kHostCode);
  if (started.ok()) thread.Detach();
  return started;
} catch (const std::bad_alloc&) {
  return Status(MPROC_ERROR_OUT_OF_MEMORY);
}

void ThreadChildren::Signal(uint64_t id, int signo) {
  if (signo == SIGKILL) Report(id, {true, 0, SIGKILL});
}

void ThreadChildren::End() {
  std::unique_lock lock(mutex_);
  ending_ = true;
  while (!children_.empty()) {
    uint64_t id = children_.begin()->first;
    lock.unlock();
    Signal(id, SIGKILL);
    lock.lock();
  }
}

void ThreadChildren::Report(uint64_t id, ChildExit exit) {
  std::unique_lock lock(mutex_);
  auto found = children_.extract(id);
  lock.unlock();
  if (found.empty()) return;
  engine_.Post([id, exit, told = std::move(found.mapped())] {
    if (auto one = told.lock()) one->OnExited(id, exit);
  });
}

}  // namespace mproc::runtime
