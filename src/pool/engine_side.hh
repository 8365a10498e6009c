// SPDX-License-Identifier: MIT
// A pool's handles on the engine's loop: its bell and its timers. Lives on the engine thread; the calls may
// come from any thread.
#pragma once

#include <atomic>
#include <functional>
#include <list>
#include <memory>

#include "loop/poll.hh"
#include "loop/timer.hh"
#include "runtime/runtime.hh"

namespace mproc::pool {

class EngineSide : public std::enable_shared_from_this<EngineSide> {
 public:
  explicit EngineSide(std::shared_ptr<runtime::Runtime> runtime) : runtime_(std::move(runtime)) {}

  // Calls `rung` when `bell` is readable and `tick` ten times a second while ticking is on. `keep` lives
  // until Close.
  void Open(int bell, std::function<void()> rung, std::function<bool()> tick, std::shared_ptr<void> keep);
  // Begins to tick; goes on until tick() returns false. Cheap if it ticks.
  void Tick() {
    if (!ticking_.load(std::memory_order_relaxed) && !ticking_.exchange(true)) StartTicking();
  }
  // Runs `action` after a time, unless closed before.
  void After(int64_t delay, std::function<void()> action);
  // Drops everything.
  void Close();

 private:
  void StartTicking();

  std::shared_ptr<runtime::Runtime> runtime_;
  std::atomic<bool> ticking_{false};
  bool closed_ = false;
  std::shared_ptr<void> keep_;
  std::function<bool()> tick_;
  loop::Poll bell_;
  loop::Timer ticker_;
  std::list<loop::Timer> timers_;
};

}  // namespace mproc::pool
