// SPDX-License-Identifier: MIT
// What came of each chunk of a map over byte items, found by the items. Chunks are all of one size, or of any
// size and told one by one. Not thread-safe, but for At once every chunk is there.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <vector>

#include "base/room.hh"

namespace mproc::pool {

template <typename Record>
class ChunkRecords {
 public:
  // For chunks of `size` items; 0: of any size. False without memory.
  bool Open(uint64_t items, uint64_t size) {
    size_ = size;
    if (size == 0) {
      if (!Reserve()) return false;
      varied_.push_back({kNoItem, {}});
      return true;
    }
    uint64_t chunks = items / size + (items % size != 0);
    // The system gives the pages when something came.
    equal_.reset(static_cast<Record*>(std::calloc(std::max<uint64_t>(chunks, 1), sizeof(Record))));
    return equal_ != nullptr;
  }
  // Of any size: the next chunk begins with this item. Needs Reserve.
  void Add(uint64_t first) {
    varied_.back().first = first;
    varied_.push_back({kNoItem, {}});
    found_.store(varied_.data(), std::memory_order_relaxed);
  }
  // Makes sure that two more can be added. False without memory.
  bool Reserve() try {
    MakeRoom(&varied_, 2);
    return true;
  } catch (const std::bad_alloc&) {
    return false;
  }

  // The record of the chunk that an item is in, and the chunk's first item.
  Record& At(uint64_t item, uint64_t* first) {
    if (size_ != 0) {
      uint64_t place = size_ == 1 ? item : item / size_;
      *first = place * size_;
      return equal_[place];
    }
    Varied* at = found_.load(std::memory_order_relaxed);  // items are often asked for one after the other
    if (item < at->first || item >= at[1].first) {
      auto after = std::upper_bound(varied_.begin(), varied_.end(), item,
                                    [](uint64_t one, const Varied& chunk) { return one < chunk.first; });
      at = &*after - 1;
      found_.store(at, std::memory_order_relaxed);
    }
    *first = at->first;
    return at->record;
  }

 private:
  static constexpr uint64_t kNoItem = UINT64_MAX;
  struct Varied {
    uint64_t first;
    Record record;
  };
  struct Free {
    void operator()(void* memory) const { std::free(memory); }
  };

  uint64_t size_ = 1;
  std::unique_ptr<Record[], Free> equal_;
  std::vector<Varied> varied_;           // and one that ends the last chunk
  std::atomic<Varied*> found_{nullptr};  // the chunk that was found last
};

}  // namespace mproc::pool
