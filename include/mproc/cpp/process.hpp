// SPDX-License-Identifier: MIT
// A function of a list in a process of its own.
#ifndef MPROC_CPP_PROCESS_HPP
#define MPROC_CPP_PROCESS_HPP

#include <mproc/process.h>
#include <mproc/process_options.h>
#include <mproc/cpp/calls.hpp>

#include <chrono>
#include <initializer_list>

namespace mproc {

// Runs from its construction on; its function's result is dropped. What is destroyed while it runs is killed.
// Movable. Since 0.1.
template <typename Functions>
class process {
 public:
  // Starts the function; it gets `objects`, handles of what it is to share, by their places.
  template <auto Function, typename... Args>
  static process start(std::initializer_list<void*> objects, Args&&... args) {
    using arguments = detail::arguments_of<Function>;
    auto bytes = detail::encode_tuple(arguments(std::forward<Args>(args)...));
    mproc_process_options_t* made = nullptr;
    detail::check(mproc_process_options_create(&made));
    std::unique_ptr<mproc_process_options_t, mproc_status_t (*)(mproc_process_options_t*)> options(
        made, mproc_process_options_destroy);
    detail::check(mproc_process_options_set_function(made, Functions::template id<Function>(), bytes.data(),
                                                     bytes.size()));
    detail::check(mproc_process_options_set_objects(made, objects.begin(), objects.size()));
    mproc_process_t* begun = nullptr;
    detail::check(mproc_process_create(made, &begun));
    process owner(begun);
    detail::check(mproc_process_start(begun));
    return owner;
  }
  process(process&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  process& operator=(process&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~process() {
    if (!handle_) return;
    if (mproc_process_destroy(handle_) == MPROC_OK) return;
    mproc_process_kill(handle_);
    mproc_process_join(handle_, MPROC_FOREVER);
    mproc_process_destroy(handle_);
  }

  void join() {
    while (!join_for(std::chrono::hours(1000))) {
    }
  }
  // False if it still runs.
  bool join_for(std::chrono::nanoseconds limit) {
    mproc_status_t status = mproc_process_join(handle_, detail::limit_of(limit));
    if (status == MPROC_ERROR_TIMED_OUT || status == MPROC_ERROR_INTERRUPTED) return false;
    detail::check(status);
    return true;
  }
  bool alive() const {
    int32_t is = 0;
    detail::check(mproc_process_is_alive(handle_, &is));
    return is != 0;
  }
  int32_t exit_code() const {  // -N: ended by signal N
    int32_t code = 0;
    detail::check(mproc_process_exit_code(handle_, &code));
    return code;
  }
  int64_t pid() const {
    int64_t number = 0;
    detail::check(mproc_process_pid(handle_, &number));
    return number;
  }
  void terminate() { detail::check(mproc_process_terminate(handle_)); }
  void kill() { detail::check(mproc_process_kill(handle_)); }
  mproc_process_t* handle() const { return handle_; }

 private:
  explicit process(mproc_process_t* owned) : handle_(owned) {}
  mproc_process_t* handle_;
};

}  // namespace mproc

#endif
