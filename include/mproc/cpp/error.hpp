// SPDX-License-Identifier: MIT
// What mproc.hpp throws.
#ifndef MPROC_CPP_ERROR_HPP
#define MPROC_CPP_ERROR_HPP

#include <mproc/imap.h>

#include <stdexcept>
#include <string>
#include <utility>

namespace mproc {

// A call of the library failed. Since 0.1.
class error : public std::runtime_error {
 public:
  error(mproc_status_t status, const std::string& message)
      : std::runtime_error(std::string(mproc_status_name(status)) + ": " + message), status_(status) {}
  mproc_status_t status() const noexcept { return status_; }  // MPROC_ERROR_

 private:
  mproc_status_t status_;
};

// A task ended without a value: its function threw, its worker died, it was cancelled. Since 0.1.
class task_error : public error {
 public:
  explicit task_error(mproc_future_t* ended)
      : error(mproc_future_error(ended), text(ended, mproc_future_error_message)) {
    type_ = text(ended, mproc_future_error_type);
    trace_ = text(ended, mproc_future_error_trace);
    take_numbers(ended, mproc_future_info);
  }
  // Of the item that a lazy map told last.
  task_error(mproc_imap_t* told, mproc_status_t status)
      : error(status, text(told, mproc_imap_error_message)) {
    type_ = text(told, mproc_imap_error_type);
    trace_ = text(told, mproc_imap_error_trace);
    take_numbers(told, mproc_imap_info);
  }

  int32_t outcome() const noexcept { return outcome_; }  // MPROC_OUTCOME_
  int32_t cause() const noexcept { return cause_; }      // MPROC_CAUSE_
  // The type of the exception that the function threw, as the compiler spells it; else the status.
  const std::string& type() const noexcept { return type_; }
  // Of a crash: where it was; else empty unless the function gave one.
  const std::string& trace() const noexcept { return trace_; }
  int32_t signal() const noexcept { return signal_; }        // that ended the worker, or 0
  int32_t exit_code() const noexcept { return exit_code_; }  // of the worker
  int64_t worker_pid() const noexcept { return worker_pid_; }
  int64_t item() const noexcept { return item_; }  // of a map: the index of the item, else -1

 private:
  template <typename Handle>
  static std::string text(Handle* from, mproc_status_t (*get)(Handle*, const char**)) {
    const char* found = "";
    return get(from, &found) == MPROC_OK ? found : "";
  }
  template <typename Handle>
  void take_numbers(Handle* from, mproc_status_t (*get)(Handle*, int32_t, int64_t*)) {
    auto number = [&](int32_t which) {
      int64_t value = 0;
      return get(from, which, &value) == MPROC_OK ? value : 0;
    };
    outcome_ = outcome_of(status());
    cause_ = static_cast<int32_t>(number(MPROC_FUTURE_INFO_CAUSE));
    signal_ = static_cast<int32_t>(number(MPROC_FUTURE_INFO_SIGNAL));
    exit_code_ = static_cast<int32_t>(number(MPROC_FUTURE_INFO_EXIT_CODE));
    worker_pid_ = number(MPROC_FUTURE_INFO_WORKER_PID);
    item_ = number(MPROC_FUTURE_INFO_FAILED_ITEM);
  }
  static int32_t outcome_of(mproc_status_t status) {
    switch (status) {
      case MPROC_ERROR_TASK:
        return MPROC_OUTCOME_ERROR;
      case MPROC_ERROR_TASK_TIMED_OUT:
        return MPROC_OUTCOME_TIMED_OUT;
      case MPROC_ERROR_CANCELLED:
        return MPROC_OUTCOME_CANCELLED;
      case MPROC_ERROR_WORKER_LOST:
        return MPROC_OUTCOME_WORKER_LOST;
      case MPROC_ERROR_NOT_RUN:
        return MPROC_OUTCOME_NOT_RUN;
      default:
        return MPROC_OUTCOME_PENDING;
    }
  }

  std::string type_, trace_;
  int32_t outcome_, cause_, signal_, exit_code_;
  int64_t worker_pid_, item_;
};

namespace detail {

inline void check(mproc_status_t status) {
  if (status != MPROC_OK) throw error(status, mproc_last_error_message());
}

}  // namespace detail
}  // namespace mproc

#endif
