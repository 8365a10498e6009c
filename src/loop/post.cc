// SPDX-License-Identifier: MIT
#include "loop/post.hh"

#include <uv.h>

#include <new>
#include <utility>

#include "platform/cancellation.hh"

namespace mproc::loop {

struct Post::Handle {
  uv_async_t async;
};

Status Post::Init(Loop& loop) {
  auto* handle = new (std::nothrow) Handle;
  if (!handle) return Status(MPROC_ERROR_OUT_OF_MEMORY);
  int error = uv_async_init(loop.raw(), &handle->async, [](uv_async_t* async) {
    if (auto* post = static_cast<Post*>(async->data)) post->RunAll();
  });
  if (error != 0) {
    delete handle;
    return LoopError("making a wake-up for the event loop", error);
  }
  handle->async.data = this;
  std::lock_guard lock(mutex_);
  handle_ = handle;
  return Status();
}

bool Post::Send(std::function<void()> action) {
  platform::CancellationOff no_cancel;  // libuv writes
  std::lock_guard lock(mutex_);
  if (!handle_) return false;
  actions_.push_back(std::move(action));
  // One wake-up serves all that came until the loop took them.
  if (actions_.size() == 1) uv_async_send(&handle_->async);
  return true;
}

bool Post::SendLast(std::function<void()> action) {
  platform::CancellationOff no_cancel;
  std::lock_guard lock(mutex_);
  if (!handle_) return false;
  last_ = std::move(action);
  uv_async_send(&handle_->async);
  return true;
}

void Post::RunAll() {
  std::vector<std::function<void()>> actions;
  std::function<void()> last;
  {
    std::lock_guard lock(mutex_);
    actions.swap(actions_);
    last.swap(last_);
  }
  for (auto& action : actions) {
    action();
    action = nullptr;  // what it holds ends before the next one runs
  }
  if (last) last();
}

void Post::Close() {
  std::vector<std::function<void()>> dropped;  // destroyed without the lock: may call Send
  std::function<void()> last;
  std::lock_guard lock(mutex_);
  if (!handle_) return;
  dropped.swap(actions_);
  last.swap(last_);
  Handle* handle = std::exchange(handle_, nullptr);
  handle->async.data = nullptr;
  uv_close(reinterpret_cast<uv_handle_t*>(&handle->async),
           [](uv_handle_t* closed) { delete reinterpret_cast<Handle*>(closed); });
}

}  // namespace mproc::loop
