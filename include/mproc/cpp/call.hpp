// SPDX-License-Identifier: MIT
// What a function may ask about the call that it runs in: let its first parameter be `mproc::call&`.
#ifndef MPROC_CPP_CALL_HPP
#define MPROC_CPP_CALL_HPP

#include <mproc/call.h>

#include <string_view>

namespace mproc {

// Lives as long as the call. Since 0.1.
class call {
 public:
  explicit call(mproc_call_t* handle) : handle_(handle) {}
  call(const call&) = delete;
  call& operator=(const call&) = delete;

  uint64_t task_id() const { return mproc_call_task_id(handle_); }
  uint32_t worker_number() const { return mproc_call_worker_number(handle_); }
  const char* worker_name() const { return mproc_call_worker_name(handle_); }
  uint64_t item_index() const { return mproc_call_item_index(handle_); }
  // True if the host wants the task to stop.
  bool cancelled() const { return mproc_call_cancelled(handle_) != 0; }
  // A pointer that this worker keeps for all calls; nullptr at first.
  void set_worker_state(void* state) { mproc_call_set_worker_state(handle_, state); }
  void* worker_state() const { return mproc_call_worker_state(handle_); }
  // Tells how far the task is, in units of its own.
  void progress(uint64_t done, uint64_t total) const { mproc_call_progress(handle_, done, total); }
  // Writes a log record, MPROC_LOG_; false if it was dropped, since the host does not take them.
  bool log(int32_t level, std::string_view text) const {
    return mproc_call_log(handle_, level, text.data(), text.size()) == MPROC_OK;
  }
  mproc_call_t* handle() const { return handle_; }

 private:
  mproc_call_t* handle_;
};

}  // namespace mproc

#endif
