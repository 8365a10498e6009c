// SPDX-License-Identifier: MIT
// How long the tasks of each function ran, and how long they waited from the submit to their begin:
// histograms with eight buckets for each power of two, so that what is told is at most an eighth too large.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>

namespace mproc::pool {

// One writer; read by any thread, while it is written with numbers that may not quite fit together.
class Histogram {
 public:
  void Add(uint64_t nanoseconds) {
    uint64_t value = nanoseconds < kMost ? nanoseconds : kMost;
    Raise(&buckets_[IndexOf(value)], 1);
    Raise(&total_, value);
    if (value > most_.load(std::memory_order_relaxed)) most_.store(value, std::memory_order_relaxed);
  }
  uint64_t Count() const;
  // What so many of a hundred did not exceed; 0 without any.
  uint64_t Percentile(uint64_t percent) const;
  uint64_t total() const { return total_.load(std::memory_order_relaxed); }
  uint64_t most() const { return most_.load(std::memory_order_relaxed); }

 private:
  static constexpr uint64_t kMost = (uint64_t{1} << 48) - 1;
  static constexpr size_t kBuckets = 46 * 8;

  static size_t IndexOf(uint64_t value) {
    if (value < 8) return value;
    auto power = static_cast<uint64_t>(std::bit_width(value)) - 1;
    return (power - 2) * 8 + (value >> (power - 3)) % 8;
  }
  static uint64_t EndOf(size_t index);
  static void Raise(std::atomic<uint64_t>* number, uint64_t by) {
    number->store(number->load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
  }

  std::array<std::atomic<uint64_t>, kBuckets> buckets_{};
  std::atomic<uint64_t> total_{0};
  std::atomic<uint64_t> most_{0};
};

struct TimesOfFunction {
  uint32_t function = 0;
  Histogram ran;
  Histogram waited;
};

class FunctionTimes {
 public:
  // Where the times of a function are written; null for more functions than anybody has. Drain lock.
  TimesOfFunction* Of(uint32_t function) {
    TimesOfFunction* recent = recent_[function % kRecent];
    return recent && recent->function == function ? recent : Find(function);
  }
  // Null if none of its tasks has ended. Any thread.
  const TimesOfFunction* Read(uint32_t function) const;

 private:
  static constexpr size_t kRecent = 64;

  TimesOfFunction* Find(uint32_t function);

  std::array<TimesOfFunction*, kRecent> recent_{};  // by id modulo its size; drain lock
  mutable std::mutex mutex_;
  std::unordered_map<uint32_t, std::unique_ptr<TimesOfFunction>> all_;  // mutex_; entries stay
};

}  // namespace mproc::pool
