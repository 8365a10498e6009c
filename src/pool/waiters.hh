// SPDX-License-Identifier: MIT
// Threads that wait while another one drains: each sleeps on a word of its own. Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>

namespace mproc::pool {

// A sleeping thread's own node, on its stack.
struct Waiter {
  std::atomic<uint32_t> word{0};                 // 0 asleep, 1 look again
  std::atomic<uint32_t>* shared_word = nullptr;  // the word of a thread with several nodes, instead
  bool can_lead = true;
  Waiter* previous = nullptr;
  Waiter* next = nullptr;
};

class Waiters {
 public:
  void Add(Waiter* waiter);
  void Remove(Waiter* waiter);
  // Lets every registered thread look again.
  void WakeAll();
  // Lets one thread that may lead look again. False if there is none.
  bool WakeOne();
  uint32_t count() const { return followers_.load() + others_.load(); }
  // Threads that never lead: the engine must drain for them.
  bool HasOthers() const { return others_.load(std::memory_order_seq_cst) > 0; }

 private:
  static void Wake(Waiter* waiter);

  std::mutex mutex_;
  Waiter* first_ = nullptr;             // mutex_
  std::atomic<uint32_t> followers_{0};  // registered threads that may lead; changes under mutex_
  std::atomic<uint32_t> others_{0};
};

}  // namespace mproc::pool
