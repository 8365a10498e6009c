// SPDX-License-Identifier: MIT
// What a queue is at a moment, and how it changes in one step.
//
// There are two places for it in the shared memory, and a word that says which is valid. Whoever has the
// queue's lock writes what is to be into the other place and then turns the word: a process that is killed
// before that one store has changed nothing, one that is killed after it has changed everything. So the next
// one that gets the lock has nothing to repair.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "base/step.hh"

namespace mproc::queue {

struct State {
  uint64_t capacity = 0;  // of the ring, in bytes: a power of two, and its place in the file
  uint64_t head = 0;      // where the first item begins; positions only grow
  uint64_t tail = 0;      // where the next one will
  uint64_t items = 0;
  uint64_t open = 0;      // items that were put and not reported done
  uint64_t reserved = 0;  // bytes of the ring that have pages
  uint64_t untidy = 0;    // 1: rings that are used no more may still have pages

  uint64_t used() const { return tail - head; }
};

// In shared memory. Peers may write anything there: what is read is checked by its user.
class StatePlace {
 public:
  State Load() const {
    const Copy& from = copies_[valid_.load(std::memory_order_acquire) & 1];
    Words words;
    for (size_t i = 0; i < words.size(); i++) words[i] = from.words[i].load(std::memory_order_relaxed);
    return std::bit_cast<State>(words);
  }
  // Under the lock.
  void Commit(const State& state) {
    uint32_t next = ~valid_.load(std::memory_order_relaxed) & 1;
    Words words = std::bit_cast<Words>(state);
    for (size_t i = 0; i < words.size(); i++) {
      MPROC_STEP();
      copies_[next].words[i].store(words[i], std::memory_order_relaxed);
    }
    MPROC_STEP();
    valid_.store(next, std::memory_order_release);
    MPROC_STEP();
  }
  // A glance without the lock: may be of a moment ago, or a mixture.
  uint64_t ItemsNow() const {
    return copies_[valid_.load(std::memory_order_acquire) & 1].words[kItems].load(std::memory_order_relaxed);
  }

 private:
  using Words = std::array<uint64_t, sizeof(State) / sizeof(uint64_t)>;
  static constexpr size_t kItems = offsetof(State, items) / sizeof(uint64_t);
  struct alignas(64) Copy {
    std::atomic<uint64_t> words[std::tuple_size_v<Words>];
  };
  Copy copies_[2];
  alignas(64) std::atomic<uint32_t> valid_;
};

}  // namespace mproc::queue
