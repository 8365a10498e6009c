// SPDX-License-Identifier: MIT
// The memory of a queue's items: a ring of bytes in a sparse file, which grows and shrinks with what is in
// it.
//
// The file has a place for a ring of each size: the one of C bytes, a power of two, lies at C. So a ring that
// is too small is copied into the next one and its pages are given back; no list of places is kept that a
// kill could spoil.
#pragma once

#include "platform/file_region.hh"
#include "queue/state.hh"

namespace mproc::queue {

inline constexpr uint64_t kSmallestRing = 16 << 10;
inline constexpr uint64_t kFileSize = uint64_t{1} << 41;

// What a peer's nonsense is answered with.
Status Spoilt();

// This process's view. Used by whoever has the queue's lock.
class Ring {
 public:
  explicit Ring(int fd) : fd_(fd), largest_(platform::FileSize(fd) / 2) {}

  // Whether the state is one that a ring can have. PROTOCOL: a peer has spoilt it.
  Status Check(const State& state) const;
  // Whether so many bytes are there at all: to read what no page is behind would make the page, and a peer's
  // nonsense could use up all memory.
  bool Has(uint64_t size) const { return size <= kLittle || size <= platform::PagesSize(fd_); }
  // Whether so many bytes more need no larger ring.
  bool Fits(const State& state, uint64_t size) const { return size <= state.capacity - state.used(); }
  // Makes room for `size` more bytes, in a larger ring if need be, which the state then names. What was in
  // the smaller one has been copied; its pages are to be given back once the state is committed.
  Status MakeRoom(State* state, uint64_t size);
  void Release(uint64_t capacity);
  // Makes the ring of this state accessible.
  Status Map(const State& state);
  void CopyIn(uint64_t position, const void* from, size_t size);
  void CopyOut(uint64_t position, void* to, size_t size) const;
  // The state of an empty queue with the smallest ring, and the pages of all others.
  bool IsSmallest(const State& state) const { return state.capacity == kSmallestRing && !state.untidy; }
  void Shrink(State* state);
  void ReleaseAll();

 private:
  static constexpr uint64_t kLittle = 256 << 10;

  Status Reserve(uint64_t capacity, uint64_t from, uint64_t to) const;
  Status Grow(State* state, uint64_t size);

  const int fd_;  // the queue's
  const uint64_t largest_;
  platform::MappedRegion ring_;
};

}  // namespace mproc::queue
