// SPDX-License-Identifier: MIT
// The futures of one reader that have ended and that it has not taken yet, in the order of their ends: so it
// need not look at all that it waits for. Holds no references: the reader does, until it closes the list.
// Thread-safe; its lock is a leaf.
#pragma once

#include <atomic>
#include <mutex>

#include "pool/future.hh"

namespace mproc::pool {

class Arrivals {
 public:
  // Notes an end, from completion.cc. True if the reader sleeps for one: all who wait are to be woken.
  bool Add(Future* ended);
  // -- the reader
  bool any() const { return first_.load(std::memory_order_seq_cst) != nullptr; }
  // To be called before the reader sleeps, which then asks any() again.
  void Want() { wanted_.store(true, std::memory_order_seq_cst); }
  // Takes the one that ended first; null if there is none.
  Future* Take();
  // What ends from now on is of no interest.
  void Close();

 private:
  std::mutex mutex_;
  std::atomic<Future*> first_{nullptr};  // linked by extra->next_arrived; changes under mutex_
  Future* last_ = nullptr;               // mutex_
  bool closed_ = false;                  // mutex_
  std::atomic<bool> wanted_{false};
};

}  // namespace mproc::pool
