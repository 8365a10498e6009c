// SPDX-License-Identifier: MIT
#include "runtime/engine.hh"

#include <chrono>
#include <utility>

#include "platform/fork_guard.hh"

namespace mproc::runtime {
namespace {

constexpr char kName[] = "mproc-engine";
constexpr size_t kStackSize = size_t{8} << 20;  // children of start method fork live on this stack

thread_local const Engine* t_engine = nullptr;  // whose thread this is

}  // namespace

Engine::~Engine() {
  Stop({}, Deadline::After(INT64_MAX));
  CloseLoop();  // of a thread that could not start
}

Status Engine::Start() {
  Status status = loop_.Init();
  for (int fd : loop_.Descriptors()) platform::GuardFd(fd);
  if (status.ok()) status = post_.Init(loop_);
  if (status.ok()) status = thread_.Start(kName, kStackSize, [this] { Body(); });
  if (!status.ok()) CloseLoop();
  return status;
}

void Engine::CloseLoop() {
  post_.Close();
  for (int fd : loop_.Descriptors()) platform::UnguardFd(fd);
  loop_.Close();
}

bool Engine::OnThread() const { return t_engine == this; }

void Engine::Body() {
  t_engine = this;
  loop_.Run();
  CloseLoop();
  std::lock_guard lock(mutex_);
  ended_ = true;
  ended_changed_.notify_all();
}

void Engine::Post(std::function<void()> action) { post_.Send(std::move(action)); }

bool Engine::Stop(std::function<void()> last, const Deadline& deadline) {
  std::unique_lock lock(mutex_);
  if (!thread_.started()) return true;
  if (!stopping_) {
    stopping_ = true;
    last_ = std::move(last);
    post_.SendLast([this] {
      if (last_) last_();
      loop_.Stop();
    });
  }
  while (!ended_) {
    if (deadline.never()) {
      ended_changed_.wait(lock);
    } else {
      if (deadline.Passed()) return false;
      ended_changed_.wait_for(lock, std::chrono::nanoseconds(deadline.Remaining()));
    }
  }
  thread_.Join();  // it has nothing left to do
  return true;
}

}  // namespace mproc::runtime
