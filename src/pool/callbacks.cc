// SPDX-License-Identifier: MIT
#include "pool/callbacks.hh"

#include "platform/futex.hh"
#include "pool/completion.hh"
#include "pool/pool.hh"

namespace mproc::pool {
namespace {

// The callbacks that this thread is inside of, innermost first. A callback of a dispatch may also leave by
// ending its thread or, in C++, by an exception: it has returned then, too.
struct Inside;
thread_local Inside* t_inside = nullptr;

struct Inside {
  explicit Inside(Future* of) : task(of) {
    t_inside = this;
    AddHandle(task);  // lent to the callback, which should not release it
  }
  ~Inside() {
    t_inside = outer;
    ReleaseHandle(task);
    task->pool->CallbackReturned(task);
  }
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;

  Future* task;
  Inside* outer = t_inside;
};

}  // namespace

void CallbackQueue::Push(Future* task) {
  task->extra->next_callback = nullptr;
  std::lock_guard lock(mutex_);
  if (!first_ && tell_.valid()) platform::FillPipe(tell_.get());
  (last_ ? last_->extra->next_callback : first_) = task;
  last_ = task;
  size_.fetch_add(1, std::memory_order_seq_cst);
  some_.notify_one();
}

Future* CallbackQueue::Pop(bool wait) {
  std::unique_lock lock(mutex_);
  if (wait) some_.wait(lock, [this] { return first_ || stopped_; });
  Future* task = first_;
  if (!task) return nullptr;
  first_ = task->extra->next_callback;
  if (!first_) last_ = nullptr;
  size_.fetch_sub(1, std::memory_order_seq_cst);
  return task;
}

Result<platform::UniqueFd> CallbackQueue::MakeReadable() {
  std::lock_guard lock(mutex_);
  if (!tell_.valid()) {
    auto ends = platform::MakePipe();
    if (!ends.ok()) return ends.status();
    told_ = runtime::GuardedFd(std::move(ends->first));
    tell_ = runtime::GuardedFd(std::move(ends->second));
    if (first_) platform::FillPipe(tell_.get());
  }
  return platform::ReopenPipe(told_.get());
}

void CallbackQueue::RefreshReadable() {
  std::lock_guard lock(mutex_);
  if (!tell_.valid()) return;
  // Should it be a duplicate that the host has, it may not block.
  if (platform::PollReadable(told_.get(), 0) == platform::Slept::kWoken) platform::EmptyPipe(told_.get());
  if (first_) platform::FillPipe(tell_.get());
}

void CallbackQueue::Stop() {
  std::lock_guard lock(mutex_);
  stopped_ = true;
  tell_.Reset();  // a hang-up for who polls
  told_.Reset();
  some_.notify_all();
}

void RunCallback(Future* task) {
  Callbacks callbacks = task->extra->callbacks;
  mproc_release_cb release = std::exchange(task->extra->callbacks.release, nullptr);
  mproc_future_cb callback =
      task->outcome() == MPROC_OUTCOME_VALUE ? callbacks.callback : callbacks.error_callback;
  if (!callback && !release) return task->pool->CallbackReturned(task);
  Inside inside(task);
  if (release) release(callbacks.owner);
  if (callback) callback(reinterpret_cast<mproc_future_t*>(task), callbacks.user_data);
}

bool InsideAnyCallback() { return t_inside != nullptr; }

bool InsideCallbackOf(const Pool* pool) {
  for (Inside* inside = t_inside; inside; inside = inside->outer) {
    if (inside->task->pool == pool) return true;
  }
  return false;
}

}  // namespace mproc::pool
