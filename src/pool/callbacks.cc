// SPDX-License-Identifier: MIT
#include "pool/callbacks.hh"

#include "platform/poll.hh"
#include "pool/completion.hh"
#include "pool/pool.hh"

namespace mproc::pool {
namespace {

// The callbacks that this thread is inside of, innermost first.
thread_local InsideCallback* t_inside = nullptr;

}  // namespace

InsideCallback::InsideCallback(Pool* pool) : pool_(pool), outer_(t_inside) { t_inside = this; }
InsideCallback::~InsideCallback() { t_inside = outer_; }

LentHandle::LentHandle(Future* task) : task_(task) { AddHandle(task); }
LentHandle::~LentHandle() { ReleaseHandle(task_); }

void CallbackQueue::Push(DueCallback* due) {
  std::lock_guard lock(mutex_);
  Link(due);
}

bool CallbackQueue::PushOnce(DueCallback* due, bool last) {
  std::lock_guard lock(mutex_);
  bool put = !due->waits_ && !due->closed_;
  if (put) Link(due);
  due->closed_ |= last;
  return put;
}

void CallbackQueue::Link(DueCallback* due) {
  due->next_due_ = nullptr;
  due->waits_ = true;
  bool tell = !first_ && tell_.valid();
  (last_ ? last_->next_due_ : first_) = due;
  last_ = due;
  size_.fetch_add(1, std::memory_order_seq_cst);
  if (tell) platform::FillPipe(tell_.get());  // who sees that finds the size, too
  some_.notify_one();
}

DueCallback* CallbackQueue::Pop(bool wait) {
  std::unique_lock lock(mutex_);
  if (wait) some_.wait(lock, [this] { return first_ || stopped_; });
  DueCallback* due = first_;
  if (!due) return nullptr;
  first_ = due->next_due_;
  if (!first_) last_ = nullptr;
  due->waits_ = false;
  size_.fetch_sub(1, std::memory_order_seq_cst);
  return due;
}

Result<platform::UniqueFd> CallbackQueue::MakeReadable() {
  std::lock_guard lock(mutex_);
  if (!tell_.valid()) {
    auto ends = platform::MakeGuardedPipe(platform::Writes::kNonBlocking);
    if (!ends.ok()) return ends.status();
    told_ = std::move(ends->first);
    tell_ = std::move(ends->second);
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

void EndDue::Run() {
  struct Returned {
    Future* task;
    ~Returned() { task->pool->CallbackReturned(task); }
  } returned{task_};
  Callbacks callbacks = task_->extra->callbacks;
  mproc_release_cb release = std::exchange(task_->extra->callbacks.release, nullptr);
  mproc_future_cb callback =
      task_->outcome() == MPROC_OUTCOME_VALUE ? callbacks.callback : callbacks.error_callback;
  if (!callback && !release) return;
  LentHandle handle(task_);
  InsideCallback inside(task_->pool);
  if (release) release(callbacks.owner);
  if (callback) callback(handle.get(), callbacks.user_data);
}

void DueOnce::Run() {
  struct Ran {
    Pool* pool;
    ~Ran() { pool->DueRan(); }
  } ran{pool_};
  std::unique_ptr<DueOnce> self(this);
  InsideCallback inside(pool_);
  Call();
}

bool InsideAnyCallback() { return t_inside != nullptr; }

bool InsideCallbackOf(const Pool* pool) {
  for (InsideCallback* inside = t_inside; inside; inside = inside->outer_) {
    if (inside->pool_ == pool) return true;
  }
  return false;
}

}  // namespace mproc::pool
