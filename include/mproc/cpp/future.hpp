// SPDX-License-Identifier: MIT
// Futures of tasks and maps that were submitted with their types.
#ifndef MPROC_CPP_FUTURE_HPP
#define MPROC_CPP_FUTURE_HPP

#include <mproc/cpp/codec.hpp>
#include <mproc/cpp/error.hpp>

#include <chrono>
#include <memory>
#include <utility>

namespace mproc {
namespace detail {

struct release {
  void operator()(mproc_future_t* future) const { mproc_future_release(future); }
};
using future_handle = std::unique_ptr<mproc_future_t, release>;

inline int64_t limit_of(std::chrono::nanoseconds limit) {
  return limit == std::chrono::nanoseconds::max() ? MPROC_FOREVER : static_cast<int64_t>(limit.count());
}

template <typename T>
T decode_as(const void* data, size_t size) {
  T value{};
  try {
    decode(data, size, value);
  } catch (const bad_input&) {
    throw error(MPROC_ERROR_BAD_VALUE, "the value of the task is not of the type that its function returns");
  }
  return value;
}

// What futures have in common. Movable; a moved-from one may only be destroyed or assigned to.
class any_future {
 public:
  explicit any_future(mproc_future_t* handle) : handle_(handle) {}

  // Waits until it has ended. A signal handler of the program that runs meanwhile does not end the wait.
  void wait() const {
    while (!wait_for(std::chrono::nanoseconds::max())) {
    }
  }
  // False if it has not ended within this time.
  bool wait_for(std::chrono::nanoseconds limit) const {
    auto until = std::chrono::steady_clock::now();
    bool ever = limit == std::chrono::nanoseconds::max();
    if (!ever) until += limit;
    for (;;) {
      mproc_status_t status = mproc_future_wait(handle_.get(), limit_of(limit));
      if (status == MPROC_OK) return true;
      if (status == MPROC_ERROR_TIMED_OUT) return false;
      if (status != MPROC_ERROR_INTERRUPTED) check(status);
      if (!ever) limit = until - std::chrono::steady_clock::now();
    }
  }
  bool ready() const { return mproc_future_ready(handle_.get()) == MPROC_OK; }
  // Items of a map that are done, of all; of a task what it tells.
  std::pair<uint64_t, uint64_t> progress() const {
    uint64_t done = 0, total = 0;
    check(mproc_future_progress(handle_.get(), &done, &total));
    return {done, total};
  }
  // False if a worker has begun it, or it has ended.
  bool cancel() { return mproc_future_cancel(handle_.get()) == MPROC_OK; }
  mproc_future_t* handle() const { return handle_.get(); }

 protected:
  // Waits, and throws task_error if it did not end with a value.
  mproc_future_t* ended() const {
    wait();
    int32_t successful = 0;
    check(mproc_future_successful(handle_.get(), &successful));
    if (!successful) throw task_error(handle_.get());
    return handle_.get();
  }

 private:
  future_handle handle_;
};

}  // namespace detail

// The result of one task. Since 0.1.
template <typename R>
class future : public detail::any_future {
 public:
  using any_future::any_future;

  // Waits for the result, and throws task_error if there is none. May be called again.
  R get() const {
    const void* data = nullptr;
    size_t size = 0;
    detail::check(mproc_future_result(ended(), &data, &size));
    if constexpr (!std::is_void_v<R>) return detail::decode_as<R>(data, size);
  }
};

// The results of a map. Since 0.1.
template <typename R>
class map_future : public detail::any_future {
 public:
  using any_future::any_future;

  // Waits for all results, in the order of the items; throws task_error of the item that failed first.
  auto get() const {
    mproc_future_t* handle = ended();
    if constexpr (!std::is_void_v<R>) {
      size_t count = 0;
      detail::check(mproc_future_item_count(handle, &count));
      std::vector<R> results;
      results.reserve(count);
      for (size_t i = 0; i < count; i++) {
        const void* data = nullptr;
        size_t size = 0;
        detail::check(mproc_future_item(handle, i, &data, &size));
        results.push_back(detail::decode_as<R>(data, size));
      }
      return results;
    }
  }
};

}  // namespace mproc

#endif
