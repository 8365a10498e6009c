// SPDX-License-Identifier: MIT
#include "cli/progress_bar.hh"

#include <unistd.h>

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <string>

namespace mproc::cli {

namespace {

constexpr auto kPause = std::chrono::milliseconds(100);
constexpr uint64_t kWidth = 30;

}  // namespace

ProgressBar::ProgressBar(bool wanted) : shown_(wanted && isatty(STDERR_FILENO)) {}

void ProgressBar::Update(uint64_t done, uint64_t total) {
  Clock::time_point now = Clock::now();
  if (!shown_ || now < next_) return;
  next_ = now + kPause;
  drawn_ = true;
  double seconds = std::chrono::duration<double>(now - begun_).count();
  double rate = seconds > 0 ? static_cast<double>(done) / seconds : 0;
  if (total == 0) {
    std::fprintf(stderr, "\r%" PRIu64 " items, %.0f/s\033[K", done, rate);
  } else {
    double part = static_cast<double>(std::min(done, total)) / static_cast<double>(total);
    std::string bar(static_cast<size_t>(part * kWidth), '=');
    bar.resize(kWidth, ' ');
    std::fprintf(stderr, "\r[%s] %" PRIu64 "/%" PRIu64 " %3.0f%%, %.0f/s\033[K", bar.c_str(), done, total,
                 part * 100, rate);
  }
  std::fflush(stderr);
}

void ProgressBar::Clear() {
  if (!drawn_) return;
  drawn_ = false;
  std::fputs("\r\033[K", stderr);
  std::fflush(stderr);
}

}  // namespace mproc::cli
