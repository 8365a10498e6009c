// SPDX-License-Identifier: MIT
// Comes at the earliest of the times that it was set to, on the engine's thread. The pool's mutex guards it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "pool/engine_side.hh"

namespace mproc::pool {

class Alarm {
 public:
  // `keep` lives until Close. `ring` calls Rang with the time it is given, under the mutex.
  void Open(std::shared_ptr<EngineSide> engine, std::shared_ptr<void> keep,
            std::function<void(int64_t when)> ring);
  void Close() { keep_.reset(); }
  bool open() const { return keep_ != nullptr; }
  // No effect if it comes earlier already. Without memory Retry will do it.
  void SetTo(int64_t when) noexcept;
  // Timers may be a little early, and one that was set later may have overtaken this.
  void Rang(int64_t when) {
    if (when <= coming_) coming_ = kNever;
  }
  // True unless there is still no memory for what was to be set. From the tick.
  bool Retry() noexcept;

 private:
  static constexpr int64_t kNever = INT64_MAX;

  std::shared_ptr<EngineSide> engine_;
  std::shared_ptr<void> keep_;
  std::function<void(int64_t)> ring_;
  int64_t coming_ = kNever;
  int64_t missed_ = kNever;  // could not be set
};

}  // namespace mproc::pool
