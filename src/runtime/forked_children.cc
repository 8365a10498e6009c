// SPDX-License-Identifier: MIT
#include "runtime/forked_children.hh"

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "platform/child.hh"
#include "platform/host_threads.hh"
#include "platform/signals.hh"

namespace mproc::runtime {
namespace {

constexpr int64_t kLookForEnds = 5'000'000;
constexpr int kUnknownCode = 255;

// Ends the process when it is left, in whatever way: a task may end its thread by pthread_exit.
struct NoReturn {
  ~NoReturn() { platform::LeaveAtOnce(code); }
  int code = 0;
};

}  // namespace

Result<uint64_t> ForkedChildren::Start(const StartRequest& request, std::weak_ptr<ChildObserver> observer) {
  auto channel = platform::DuplicateGuarded(request.channel_fd);
  if (!channel.ok()) return channel.status();
  auto child = std::make_shared<Child>();
  child->observer = std::move(observer);
  child->channel = std::move(*channel);
  child->body = request.body;
  child->among_threads = request.among_threads;
  std::lock_guard lock(mutex_);
  if (ending_) return Status(MPROC_ERROR_NOT_RUNNING, "the runtime is being ended");
  uint64_t id = next_id_++;
  engine_.Post([this, id] { Fork(id); });  // waits for the lock; without the child it does nothing
  children_.emplace(id, std::move(child));
  return id;
}

void ForkedChildren::Signal(uint64_t id, int signo) {
  std::lock_guard lock(mutex_);
  auto found = children_.find(id);
  if (found != children_.end()) SignalChild(found->second.get(), signo);
}

void ForkedChildren::SignalChild(Child* child, int signo) {
  if (child->process.valid()) {
    child->process.Signal(signo);  // false: it has just ended
  } else {
    child->killed = signo;
  }
}

void ForkedChildren::Fork(uint64_t id) {
  std::shared_ptr<Child> child;
  platform::GuardedFd channel;
  int killed = 0;  // what comes from now on is for the forked one
  {
    std::lock_guard lock(mutex_);
    auto found = children_.find(id);
    if (found == children_.end()) return;
    child = found->second;
    channel = std::move(child->channel);
    killed = child->killed;
    if (killed) Erase(id);
  }
  auto observer = child->observer.lock();
  if (killed) {
    if (observer) observer->OnExited(id, {true, 0, killed});
    return;
  }
  platform::ProcessRef process;
  Status made = MakeProcess(*child, std::move(channel), &process);
  {
    std::lock_guard lock(mutex_);
    if (made.ok()) {
      child->process = std::move(process);
      if (child->killed) child->process.Signal(child->killed);
    } else {
      Erase(id);
    }
  }
  if (!made.ok()) {
    if (observer) observer->OnStartFailed(id, made);
    return;
  }
  if (observer) observer->OnStarted(id, child->process.pid());
  WatchEnd(id, child.get());
}

Status ForkedChildren::MakeProcess(const Child& child, platform::GuardedFd channel,
                                   platform::ProcessRef* process) {
  if (!child.among_threads) {
    if (Status may = platform::CheckNoHostThreads(); !may.ok()) return may;
  }
  platform::UniqueFd socket = channel.Release();  // the child keeps it
  auto pid = platform::Fork();
  if (!pid.ok()) return pid.status();
  if (*pid == 0) {
    NoReturn end;
    end.code = child.body(socket.get());
  }
  platform::NoForks no_forks;
  *process = platform::ProcessRef::Open(*pid);
  platform::GuardFd(process->fd());
  return Status();
}

void ForkedChildren::WatchEnd(uint64_t id, Child* child) {
  Status watched = Status(MPROC_ERROR_UNSUPPORTED);
  if (child->process.fd() >= 0) {
    watched = child->end.Start(engine_.loop(), child->process.fd(), loop::kReadable,
                               [this, id](int) { CheckEnd(id); });
  }
  if (watched.ok() || look_.active()) return;
  Status timed = look_.Init(engine_.loop(), [this] { LookForEnds(); });
  if (timed.ok()) look_.Start(kLookForEnds, kLookForEnds);
}

void ForkedChildren::LookForEnds() {
  std::vector<uint64_t> unwatched;
  {
    std::lock_guard lock(mutex_);
    for (const auto& [id, child] : children_) {
      if (child->process.valid() && !child->end.started()) unwatched.push_back(id);
    }
  }
  if (unwatched.empty()) look_.Stop();
  for (uint64_t id : unwatched) CheckEnd(id);
}

void ForkedChildren::CheckEnd(uint64_t id) {
  std::shared_ptr<Child> child;
  platform::HowEnded how;
  {
    std::lock_guard lock(mutex_);
    child = children_.at(id);
    if (!child->process.Ended() || !child->process.Reap(&how)) return;
    Erase(id);
  }
  child->end.Close();
  if (auto observer = child->observer.lock()) {
    observer->OnExited(id,
                       how.known ? ChildExit{true, how.code, how.signal} : ChildExit{false, kUnknownCode, 0});
  }
}

void ForkedChildren::WaitForked() {
  struct Gate {
    std::mutex mutex;
    std::condition_variable opened;
    bool open = false;  // guarded by mutex
  };
  // Opened by the action, or by the engine's end, which drops it.
  auto gate = std::make_shared<Gate>();
  std::shared_ptr<void> opener(nullptr, [gate](void*) {
    std::lock_guard lock(gate->mutex);
    gate->open = true;
    gate->opened.notify_all();
  });
  engine_.Post([opener = std::move(opener)] {});
  std::unique_lock lock(gate->mutex);
  gate->opened.wait(lock, [&] { return gate->open; });
}

void ForkedChildren::Erase(uint64_t id) {
  children_.erase(id);
  if (children_.empty()) all_ended_.notify_all();
}

bool ForkedChildren::End(const Deadline& deadline) {
  std::unique_lock lock(mutex_);
  ending_ = true;
  for (auto& [id, child] : children_) SignalChild(child.get(), SIGKILL);
  auto none = [&] { return children_.empty(); };
  if (!deadline.never()) {
    return all_ended_.wait_for(lock, std::chrono::nanoseconds(std::max<int64_t>(0, deadline.Remaining())),
                               none);
  }
  all_ended_.wait(lock, none);
  return true;
}

void ForkedChildren::CloseHandles() { look_.Close(); }

}  // namespace mproc::runtime
