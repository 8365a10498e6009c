// SPDX-License-Identifier: MIT
// A function that can stop in the middle and go on later, on a stack of its own. One thread at a time.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

#include "base/status.hh"

namespace mproc::platform {

class Coroutine {
 public:
  Coroutine();
  ~Coroutine();  // what has not ended is forgotten, not unwound
  Coroutine(const Coroutine&) = delete;
  Coroutine& operator=(const Coroutine&) = delete;

  // Makes a stack for `body`, which must not throw and has not begun.
  Status Start(size_t stack_size, std::function<void()> body);
  bool started() const { return parts_ != nullptr; }
  bool ended() const;
  // Runs the body until it yields or ends. Not inside of it.
  void Resume();
  // Inside of the body: lets Resume return, and returns at the next one.
  void Yield();

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace mproc::platform
