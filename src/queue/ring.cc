// SPDX-License-Identifier: MIT
#include "queue/ring.hh"

#include <algorithm>
#include <bit>
#include <cstring>

namespace mproc::queue {
namespace {

constexpr uint64_t kStep = 256 << 10;  // pages are taken in such pieces, or all at once of a smaller ring

uint64_t RoundUp(uint64_t bytes, uint64_t step) { return (bytes + step - 1) & ~(step - 1); }

}  // namespace

Status Spoilt() { return Status(MPROC_ERROR_PROTOCOL, "a process has spoilt the memory of the queue"); }

Status Ring::Check(const State& state) const {
  auto fits = [&](uint64_t capacity) {
    return std::has_single_bit(capacity) && capacity >= kSmallestRing && capacity <= largest_;
  };
  bool good = fits(state.capacity) && state.used() <= state.capacity && state.reserved <= state.capacity &&
              state.head % 8 == 0 && state.tail % 8 == 0;
  return good ? Status() : Spoilt();
}

Status Ring::Reserve(uint64_t capacity, uint64_t from, uint64_t to) const {
  return platform::ReserveRegion(fd_, capacity + from, to - from);
}

Status Ring::MakeRoom(State* state, uint64_t size) {
  if (!Fits(*state, size)) return Grow(state, size);
  uint64_t begin = state->tail & (state->capacity - 1);
  uint64_t end = std::min(begin + size, state->capacity);  // what is beyond begins at 0, which has pages
  if (end > state->reserved) {
    uint64_t wanted = std::min(state->capacity, RoundUp(end, kStep));
    if (Status reserved = Reserve(state->capacity, state->reserved, wanted); !reserved.ok()) return reserved;
    state->reserved = wanted;
  }
  return Map(*state);
}

Status Ring::Grow(State* state, uint64_t size) {
  uint64_t used = state->used();
  if (size > largest_ || used > largest_ - size)
    return Status(MPROC_ERROR_TOO_LARGE, "the items of a queue have at most 2^40 bytes together");
  if (!Has(used)) return Spoilt();
  uint64_t capacity = std::max(state->capacity * 2, std::bit_ceil(used + size));
  uint64_t reserved = std::min(capacity, RoundUp(used + size, kStep));
  if (Status had = Reserve(capacity, 0, reserved); !had.ok()) return had;
  if (Status mapped = Map(*state); !mapped.ok()) return mapped;
  auto next = platform::MappedRegion::Map(fd_, capacity, capacity);
  if (!next.ok()) return next.status();
  CopyOut(state->head, next->data(), used);
  ring_ = std::move(*next);
  state->capacity = capacity;
  state->reserved = reserved;
  state->head = 0;
  state->tail = used;
  return Status();
}

Status Ring::Map(const State& state) {
  if (ring_.size() == state.capacity) return Status();
  auto mapped = platform::MappedRegion::Map(fd_, state.capacity, state.capacity);
  if (!mapped.ok()) return mapped.status();
  ring_ = std::move(*mapped);
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

void Ring::Release(uint64_t capacity) {
  if (capacity > kSmallestRing) platform::ReleaseRegion(fd_, capacity, capacity);
}

void Ring::Shrink(State* state) {
  state->capacity = state->reserved = kSmallestRing;
  state->head = state->tail = 0;
  ring_ = platform::MappedRegion();
}

void Ring::ReleaseAll() { platform::ReleaseRegion(fd_, 2 * kSmallestRing, 2 * largest_ - 2 * kSmallestRing); }

}  // namespace mproc::queue
