// SPDX-License-Identifier: MIT
// Runs functions on the loop's thread on behalf of others.
#pragma once

#include <functional>
#include <mutex>
#include <vector>

#include "loop/loop.hh"

namespace mproc::loop {

// Init, Close and the destructor: loop's thread (or none runs it). Send: any thread while the object lives.
class Post {
 public:
  Post() = default;
  ~Post() { Close(); }
  Post(const Post&) = delete;
  Post& operator=(const Post&) = delete;

  Status Init(Loop& loop);
  // Runs `action` on the loop's thread, in the order of the calls. False, and `action` is dropped, when
  // closed.
  bool Send(std::function<void()> action);
  // The same for one that runs after all others that are there by then. Asks for no memory; one at a time.
  bool SendLast(std::function<void()> action);
  // Actions that have not run yet are dropped.
  void Close();

 private:
  struct Handle;
  void RunAll();

  std::mutex mutex_;
  Handle* handle_ = nullptr;                    // guarded by mutex_
  std::vector<std::function<void()>> actions_;  // guarded by mutex_
  std::function<void()> last_;                  // guarded by mutex_
};

}  // namespace mproc::loop
