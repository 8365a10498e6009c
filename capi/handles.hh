// SPDX-License-Identifier: MIT
// Handles of pools, tables, options, values, blocks and iterators. A handle is not a pointer but a ticket: a
// kind, a place in a list and how often that place was given out before. So a stale, foreign or made-up
// handle is recognised without touching memory that may be gone, while another thread destroys the object. It
// has less than 47 bits and is a multiple of 8, as some languages want of pointers.
//
// A call pins the place while it uses the object: one atomic addition before, one after. Taking the object
// out makes the handle stale at once; the place keeps the object until the last pin is gone.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <type_traits>
#include <utility>

#include "base/status.hh"
#include "platform/fork_lock.hh"
#include "platform/fork_mark.hh"

namespace mproc::capi {

// Thread-safe. T is the object behind the handle, kKind its own number: 1 to 15.
template <typename T, uint64_t kKind>
class Handles {
  static_assert(kKind >= 1 && kKind <= 15);
  struct Place {
    std::atomic<uint64_t> word{0};  // round, state, pins
    uint32_t epoch = 0;             // of the process that made the object
    uint32_t number = 0;            // its own
    Place* next_free = nullptr;     // mutex_
    std::shared_ptr<T> object;
  };

 public:
  // The object of a handle, kept while this lives.
  class Pinned {
   public:
    Pinned() = default;
    Pinned(Pinned&& other) noexcept : place_(std::exchange(other.place_, nullptr)) {}
    Pinned& operator=(Pinned&&) = delete;
    ~Pinned() {
      if (place_) Get().Unpin(place_);
    }
    T* operator->() const { return place_->object.get(); }
    T& operator*() const { return *place_->object; }
    std::shared_ptr<T> Share() const { return place_->object; }

   private:
    friend class Handles;
    Place* place_ = nullptr;
  };

  static Handles& Get() {
    static constinit Handles handles;  // lives as long as the process: stale handles are looked up
    static_assert(std::is_trivially_destructible_v<Handles>);
    return handles;
  }

  // Gives out a handle; null if there are too many.
  void* Add(std::shared_ptr<T> object) {
    std::lock_guard lock(mutex_);
    Place* place = first_free_;  // the one freed first: the longest time until a ticket comes again
    if (place) {
      first_free_ = place->next_free;
      if (!first_free_) last_free_ = nullptr;
    } else {
      uint64_t number = used_.load(std::memory_order_relaxed);
      if (number > kPlaceMask) return nullptr;
      if (!blocks_[number / kBlock].load(std::memory_order_relaxed)) {
        blocks_[number / kBlock].store(new Place[kBlock], std::memory_order_release);
      }
      place = &At(number);
      place->number = static_cast<uint32_t>(number);
      used_.store(number + 1, std::memory_order_release);
    }
    place->object = std::move(object);
    place->epoch = platform::ForkEpoch();
    uint64_t round = place->word.fetch_or(kLive, std::memory_order_release) >> kRoundShift;
    return Encode(place->number, round);
  }

  Status Find(const void* handle, Pinned* pinned) {
    return Pin(handle, pinned) ? Status() : WhyNot(handle, *pinned);
  }

  // Takes the object out: the handle is stale from now on.
  Status Take(const void* handle, std::shared_ptr<T>* object) {
    Pinned pinned;
    if (!Pin(handle, &pinned)) return WhyNot(handle, pinned);
    uint64_t word = pinned.place_->word.load(std::memory_order_acquire);
    do {
      if (!(word & kLive)) return Stale();  // another thread was faster
    } while (!pinned.place_->word.compare_exchange_weak(word, (word & ~kLive) | kDying));
    *object = pinned.place_->object;
    return Status();
  }

 private:
  constexpr Handles() = default;

  static constexpr uint64_t kPlaceMask = 0xffff, kRoundMask = 0x3fffff, kBlock = 256;
  static constexpr uint64_t kLive = uint64_t{1} << 30, kDying = uint64_t{1} << 31, kPins = kLive - 1;
  static constexpr int kRoundShift = 32;

  static void* Encode(uint64_t place, uint64_t round) {
    return reinterpret_cast<void*>(((round << 16 | place) << 4 | kKind) << 3 | uint64_t{1} << 46);
  }
  static Status Stale() { return Status(MPROC_ERROR_STALE_HANDLE); }
  Place& At(uint64_t place) {
    return blocks_[place / kBlock].load(std::memory_order_acquire)[place % kBlock];
  }

  // Pins the place that a handle names; false if it is not one of this process's living objects.
  bool Pin(const void* handle, Pinned* pinned) {
    auto bits = reinterpret_cast<uint64_t>(handle);
    uint64_t place = (bits >> 7) & kPlaceMask, round = (bits >> 23) & kRoundMask;
    if (Encode(place, round) != handle || place >= used_.load(std::memory_order_acquire)) return false;
    Place& at = At(place);
    uint64_t word = at.word.fetch_add(1, std::memory_order_acquire);
    pinned->place_ = &at;
    return word >> kRoundShift == round && (word & kLive) && at.epoch == platform::ForkEpoch();
  }

  // Why it was not pinned, or not as its own.
  [[gnu::cold, gnu::noinline]] static Status WhyNot(const void* handle, const Pinned& pinned) {
    if (!handle) return Status(MPROC_ERROR_INVALID_ARGUMENT, "the handle is null");
    if (!pinned.place_) return Status(MPROC_ERROR_INVALID_HANDLE);
    uint64_t word = pinned.place_->word.load(std::memory_order_relaxed);
    uint64_t round = (reinterpret_cast<uint64_t>(handle) >> 23) & kRoundMask;
    if (word >> kRoundShift < round) return Status(MPROC_ERROR_INVALID_HANDLE);
    if (word >> kRoundShift > round || !(word & kLive)) return Stale();
    return Status(MPROC_ERROR_FORKED,
                  "the object belongs to the parent of this forked process: make one of your own here");
  }

  void Unpin(Place* place) {
    uint64_t word = place->word.fetch_sub(1, std::memory_order_acq_rel) - 1;
    if (!(word & kDying) || (word & kPins)) return;
    uint64_t next = (((word >> kRoundShift) + 1) & kRoundMask) << kRoundShift;
    if (!place->word.compare_exchange_strong(word, next)) return;  // pinned again: that one does it
    std::shared_ptr<T> object = std::move(place->object);
    std::lock_guard lock(mutex_);
    place->next_free = nullptr;
    (last_free_ ? last_free_->next_free : first_free_) = place;
    last_free_ = place;
  }

  platform::ForkMutex mutex_;
  Place* first_free_ = nullptr;  // mutex_
  Place* last_free_ = nullptr;   // mutex_
  std::atomic<uint64_t> used_{0};
  std::atomic<Place*> blocks_[(kPlaceMask + 1) / kBlock] = {};
};

}  // namespace mproc::capi
