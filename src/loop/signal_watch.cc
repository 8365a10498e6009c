// SPDX-License-Identifier: MIT
#include "loop/signal_watch.hh"

#include <uv.h>

#include <new>
#include <utility>

namespace mproc::loop {

struct SignalWatch::Handle {
  uv_signal_t signal;
  Callback callback;
  bool closed = false;

  static void OnSignal(uv_signal_t* signal, int) {
    auto* self = static_cast<Handle*>(signal->data);
    if (!self->closed) self->callback();
  }
  static void OnClosed(uv_handle_t* handle) { delete static_cast<Handle*>(handle->data); }
};

Status SignalWatch::Start(Loop& loop, int signo, Callback callback) {
  Close();
  auto* handle = new (std::nothrow) Handle{{}, std::move(callback)};
  if (!handle) return Status(MPROC_ERROR_OUT_OF_MEMORY);
  int error = uv_signal_init(loop.raw(), &handle->signal);
  if (error != 0) {
    delete handle;
    return LoopError("watching a signal", error);
  }
  handle->signal.data = handle;
  handle_ = handle;
  error = uv_signal_start(&handle->signal, Handle::OnSignal, signo);
  if (error == 0) return Status();
  Close();
  return LoopError("watching a signal", error);
}

void SignalWatch::Close() {
  if (!handle_) return;
  Handle* handle = std::exchange(handle_, nullptr);
  handle->closed = true;
  uv_close(reinterpret_cast<uv_handle_t*>(&handle->signal), Handle::OnClosed);
}

}  // namespace mproc::loop
