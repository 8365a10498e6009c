// SPDX-License-Identifier: MIT
// A line on the standard error that tells how far a run is, if that is a terminal. One thread.
#ifndef MPROC_CLI_PROGRESS_BAR_HH
#define MPROC_CLI_PROGRESS_BAR_HH

#include <chrono>
#include <cstdint>

namespace mproc::cli {

class ProgressBar {
 public:
  explicit ProgressBar(bool wanted);
  ~ProgressBar() { Clear(); }
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  bool shown() const { return shown_; }
  // Draws it anew, ten times a second at most; `total` 0 is not known yet.
  void Update(uint64_t done, uint64_t total);
  // Takes it away, before anything else is written there.
  void Clear();

 private:
  using Clock = std::chrono::steady_clock;
  const bool shown_;
  bool drawn_ = false;
  const Clock::time_point begun_ = Clock::now();
  Clock::time_point next_ = begun_;
};

}  // namespace mproc::cli

#endif
