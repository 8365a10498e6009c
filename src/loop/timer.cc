// SPDX-License-Identifier: MIT
#include "loop/timer.hh"

#include <uv.h>

#include <new>
#include <utility>

namespace mproc::loop {
namespace {

constexpr int64_t kMillisecond = 1000000;

uint64_t Milliseconds(int64_t ns) {
  if (ns <= 0) return 0;
  return static_cast<uint64_t>((ns - 1) / kMillisecond + 1);
}

}  // namespace

struct Timer::Handle {
  uv_timer_t timer;
  Callback callback;

  static void OnTime(uv_timer_t* timer) { static_cast<Handle*>(timer->data)->callback(); }
  static void OnClosed(uv_handle_t* handle) { delete static_cast<Handle*>(handle->data); }
};

Status Timer::Init(Loop& loop, Callback callback) {
  Close();
  auto* handle = new (std::nothrow) Handle{{}, std::move(callback)};
  if (!handle) return Status(MPROC_ERROR_OUT_OF_MEMORY);
  uv_timer_init(loop.raw(), &handle->timer);  // cannot fail
  handle->timer.data = handle;
  handle_ = handle;
  return Status();
}

void Timer::Start(int64_t delay, int64_t repeat) {
  if (!handle_) return;
  uv_update_time(handle_->timer.loop);  // the loop's clock stands still while a callback runs
  uv_timer_start(&handle_->timer, Handle::OnTime, Milliseconds(delay), Milliseconds(repeat));
}

void Timer::Stop() {
  if (handle_) uv_timer_stop(&handle_->timer);
}

bool Timer::active() const {
  return handle_ && uv_is_active(reinterpret_cast<const uv_handle_t*>(&handle_->timer));
}

void Timer::Close() {
  if (!handle_) return;
  Handle* handle = std::exchange(handle_, nullptr);
  uv_close(reinterpret_cast<uv_handle_t*>(&handle->timer), Handle::OnClosed);
}

}  // namespace mproc::loop
