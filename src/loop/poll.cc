// SPDX-License-Identifier: MIT
#include "loop/poll.hh"

#include <uv.h>

#include <new>
#include <utility>

namespace mproc::loop {

struct Poll::Handle {
  uv_poll_t poll;
  Callback callback;
  bool closed = false;

  static void OnEvents(uv_poll_t* poll, int status, int events) {
    auto* self = static_cast<Handle*>(poll->data);
    if (self->closed) return;
    int what = 0;
    if (status < 0) {  // libuv has stopped watching; whoever reads or writes gets the error itself
      what = kReadable | kWritable;
    } else {
      if (events & UV_READABLE) what |= kReadable;
      if (events & UV_WRITABLE) what |= kWritable;
    }
    self->callback(what);
  }
  static void OnClosed(uv_handle_t* handle) { delete static_cast<Handle*>(handle->data); }
};

Status Poll::Start(Loop& loop, int fd, int events, Callback callback) {
  Close();
  auto* handle = new (std::nothrow) Handle{{}, std::move(callback)};
  if (!handle) return Status(MPROC_ERROR_OUT_OF_MEMORY);
  int error = uv_poll_init(loop.raw(), &handle->poll, fd);
  if (error != 0) {
    delete handle;
    return LoopError("watching a descriptor", error);
  }
  handle->poll.data = handle;
  handle_ = handle;
  Status status = Watch(events);
  if (!status.ok()) Close();
  return status;
}

Status Poll::Watch(int events) {
  int mask = (events & kReadable ? UV_READABLE : 0) | (events & kWritable ? UV_WRITABLE : 0);
  int error =
      mask != 0 ? uv_poll_start(&handle_->poll, mask, Handle::OnEvents) : uv_poll_stop(&handle_->poll);
  return error == 0 ? Status() : LoopError("watching a descriptor", error);
}

void Poll::Close() {
  if (!handle_) return;
  Handle* handle = std::exchange(handle_, nullptr);
  handle->closed = true;
  uv_close(reinterpret_cast<uv_handle_t*>(&handle->poll), Handle::OnClosed);
}

}  // namespace mproc::loop
