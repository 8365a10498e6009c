// SPDX-License-Identifier: MIT
#include "queue/ring.hh"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/step.hh"

namespace mproc::queue {
namespace {

uint64_t RoundUp(uint64_t bytes, uint64_t step) { return (bytes + step - 1) & ~(step - 1); }

uint64_t LargestIn(uint64_t file) { return file > kRingBegin ? std::bit_floor(file - kRingBegin) : 0; }

}  // namespace

Status Spoilt() { return Status(MPROC_ERROR_PROTOCOL, "a process has spoilt the memory of the queue"); }

Ring::Ring(int fd) : fd_(fd), largest_(LargestIn(platform::FileSize(fd))) {}

Status Ring::Check(const State& state) const {
  auto fits = [&](uint64_t capacity) {
    return std::has_single_bit(capacity) && capacity >= kSmallestRing && capacity <= largest_;
  };
  bool good = fits(state.capacity) && state.used() <= state.capacity && state.reserved <= state.capacity &&
              state.head % 8 == 0 && state.tail % 8 == 0;
  return good ? Status() : Spoilt();
}

// The state of a larger ring with the same items.
Status Ring::Grow(State* state, uint64_t size) const {
  uint64_t used = state->used();
  if (size > largest_ || used > largest_ - size)
    return Status(MPROC_ERROR_TOO_LARGE, "the items of a queue have at most 2^40 bytes together");
  state->head &= state->capacity - 1;
  state->tail = state->head + used;
  state->capacity = std::max(state->capacity * 2, std::bit_ceil(used + size));
  return Status();
}

Status Ring::MakeRoom(State* state, uint64_t size) {
  State next = *state;
  uint64_t wrapped = 0;  // bytes at the beginning of a smaller ring that belong behind its end
  if (!Fits(*state, size)) {
    if (Status grown = Grow(&next, size); !grown.ok()) return grown;
    if (next.tail > state->capacity) wrapped = next.tail - state->capacity;
    if (!Has(wrapped)) return Spoilt();
  }
  uint64_t begin = next.tail & (next.capacity - 1);
  uint64_t end = std::min(begin + size, next.capacity);  // what is beyond begins at 0, which has pages
  uint64_t fresh = next.reserved;
  if (end > fresh) {
    next.reserved = std::min(next.capacity, RoundUp(end, kStep));
    Status had = platform::ReserveRegion(fd_, kRingBegin + fresh, next.reserved - fresh);
    if (!had.ok()) return had;
  }
  if (Status mapped = Map(next); !mapped.ok()) return mapped;
  MakeReady(begin, end, next.reserved);
  MPROC_STEP();
  std::memcpy(ring_.data() + state->capacity, ring_.data(), wrapped);
  *state = next;
  return Status();
}

// A fault for each page in each process costs more than the items that it has room for. Not worth it for a
// ring that is smaller than a step.
void Ring::MakeReady(uint64_t begin, uint64_t end, uint64_t reserved) {
  uint64_t last = std::min({(end + kStep - 1) / kStep, reserved / kStep, uint64_t{ready_.size()}});
  for (uint64_t step = begin / kStep; step < last; step++) {
    if (ready_[step]) continue;
    ring_.Populate(step * kStep, (step + 1) * kStep);
    ready_[step] = true;
  }
}

Status Ring::Map(const State& state) {
  if (ring_.size() == state.capacity) return Status();
  if (ring_.size() > 0 && ring_.size() < state.capacity) return ring_.Extend(fd_, kRingBegin, state.capacity);
  auto mapped = platform::MappedRegion::Map(fd_, kRingBegin, state.capacity);
  if (!mapped.ok()) return mapped.status();
  ring_ = std::move(*mapped);
  ready_.reset();
  return Status();
}

void Ring::CopyIn(uint64_t position, const void* from, size_t size) {
  size_t at = position & (ring_.size() - 1), first = std::min(size, ring_.size() - at);
  if (first) std::memcpy(ring_.data() + at, from, first);
  if (size > first) std::memcpy(ring_.data(), static_cast<const std::byte*>(from) + first, size - first);
}

void Ring::CopyOut(uint64_t position, void* to, size_t size) const {
  size_t at = position & (ring_.size() - 1), first = std::min(size, ring_.size() - at);
  if (first) std::memcpy(to, ring_.data() + at, first);
  if (size > first) std::memcpy(static_cast<std::byte*>(to) + first, ring_.data(), size - first);
}

void Ring::Shrink(State* state) {
  state->capacity = state->reserved = kSmallestRing;
  state->head = state->tail = 0;
  ring_ = platform::MappedRegion();
  ready_.reset();
}

void Ring::ReleaseAll() {
  platform::ReleaseRegion(fd_, kRingBegin + kSmallestRing, largest_ - kSmallestRing);
}

}  // namespace mproc::queue
