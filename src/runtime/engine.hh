// SPDX-License-Identifier: MIT
// The engine thread: one loop, all signals blocked, named "mproc-engine". Thread-safe where not said
// otherwise.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>

#include "base/clock.hh"
#include "loop/loop.hh"
#include "loop/post.hh"
#include "platform/thread.hh"

namespace mproc::runtime {

class Engine {
 public:
  Engine() = default;
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  Status Start();
  // Runs `action` on the engine thread, in the order of the calls; drops it after the end.
  void Post(std::function<void()> action);
  bool OnThread() const;
  // Engine thread only.
  loop::Loop& loop() { return loop_; }

  // Runs `last` on the engine thread (it must close every handle that is still on the loop), then ends it.
  // Asks for no memory of its own. Not from the engine thread. False if the thread still is busy at the
  // deadline: call again.
  bool Stop(std::function<void()> last, const Deadline& deadline);

 private:
  void Body();
  void CloseLoop();  // idempotent

  loop::Loop loop_;
  loop::Post post_;
  platform::Thread thread_;
  std::mutex mutex_;
  std::condition_variable ended_changed_;
  bool stopping_ = false;       // guarded by mutex_
  bool ended_ = false;          // guarded by mutex_
  std::function<void()> last_;  // constant once stopping
};

}  // namespace mproc::runtime
