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
  void Open(int bell, std::function<void()> rung, std::function<bool(bool stirred)> tick,
            std::shared_ptr<void> keep);
  // Something happened: begins to tick, and goes on until tick(), which is told, returns false. Cheap if it
  // ticks. Without memory the next call begins.
  void Tick() noexcept {
    if (!stirred_.load(std::memory_order_relaxed)) stirred_.store(true);
    if (!ticking_.load() && !ticking_.exchange(true)) StartTicking();
  }
  // Runs `action` after a time, unless closed before.
  void After(int64_t delay, std::function<void()> action);
  // Drops everything.
  void Close();

 private:
  void StartTicking() noexcept;

  std::shared_ptr<runtime::Runtime> runtime_;
  std::atomic<bool> ticking_{false};
  std::atomic<bool> stirred_{false};  // since the last tick
  bool closed_ = false;
  std::shared_ptr<void> keep_;
  std::function<bool(bool)> tick_;
  loop::Poll bell_;
  loop::Timer ticker_;
  std::list<loop::Timer> timers_;
};

}  // namespace mproc::pool
