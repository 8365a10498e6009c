// SPDX-License-Identifier: MIT
// The monotonic clock in nanoseconds, and deadlines made from the limits of the public API.
#pragma once

#include <chrono>
#include <cstdint>

namespace mproc {

inline int64_t NowNs() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

// A point in time, later by `by`; what lies beyond the clock is never.
inline int64_t Later(int64_t when, int64_t by) { return by > INT64_MAX - when ? INT64_MAX : when + by; }

// A point in time up to which a call may wait. "No limit" and "do not wait" need no clock.
class Deadline {
 public:
  static Deadline After(int64_t limit) {
    if (limit == INT64_MAX) return Deadline(INT64_MAX);
    if (limit <= 0) return Deadline(INT64_MIN);
    int64_t now = NowNs();
    return Deadline(limit > INT64_MAX - 1 - now ? INT64_MAX - 1 : now + limit);
  }

  bool never() const { return at_ == INT64_MAX; }
  bool immediate() const { return at_ == INT64_MIN; }
  bool Passed() const { return !never() && (immediate() || NowNs() >= at_); }
  // Nanoseconds that remain, at least 0; INT64_MAX without a limit.
  int64_t Remaining() const {
    if (never()) return INT64_MAX;
    if (immediate()) return 0;
    int64_t left = at_ - NowNs();
    return left > 0 ? left : 0;
  }

 private:
  explicit Deadline(int64_t at) : at_(at) {}
  int64_t at_;
};

}  // namespace mproc
