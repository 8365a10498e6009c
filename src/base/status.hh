// SPDX-License-Identifier: MIT
// What an operation came to: a number of the public list, the errno behind it, and a message with cause and
// remedy. Success costs no allocation. Values, thread-compatible.
#pragma once

#include <mproc/status.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace mproc {

class [[nodiscard]] Status {
 public:
  Status() = default;
  explicit Status(int32_t code) : code_(code) {}
  Status(int32_t code, std::string message, int os_code = 0)
      : code_(code), os_code_(os_code), message_(std::make_shared<const std::string>(std::move(message))) {}

  // An error of the system: "<what>: <strerror>", with the number that fits `os_code`.
  static Status System(const std::string& what, int os_code);

  bool ok() const { return code_ == MPROC_OK; }
  int32_t code() const { return code_; }
  int os_code() const { return os_code_; }
  // The message, or the fixed text of the number if none was given.
  std::string message() const;

 private:
  int32_t code_ = MPROC_OK;
  int os_code_ = 0;
  std::shared_ptr<const std::string> message_;
};

// A value or the status that says why there is none.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}          // NOLINT: meant to convert
  Result(Status status) : status_(std::move(status)) {}  // NOLINT: meant to convert

  bool ok() const { return value_.has_value(); }
  const Status& status() const { return status_; }
  T& operator*() { return *value_; }
  const T& operator*() const { return *value_; }
  T* operator->() { return &*value_; }
  const T* operator->() const { return &*value_; }

 private:
  std::optional<T> value_;
  Status status_;
};

const char* StatusName(int32_t code);
const char* StatusText(int32_t code);

}  // namespace mproc
