// SPDX-License-Identifier: MIT
// The memory of a queue's items: a ring of bytes in a sparse file, which grows and shrinks with what is in
// it.
//
// A ring grows in its place: one of C bytes, a power of two, becomes the first part of a larger one. What had
// wrapped round, and so lies at its beginning, is copied to where the smaller one ended, and both copies are
// there until the state says which of the rings it is: a kill before that has changed nothing.
#pragma once

#include <bitset>

#include "platform/file_region.hh"
#include "queue/state.hh"

namespace mproc::queue {

inline constexpr uint64_t kSmallestRing = 16 << 10;
inline constexpr uint64_t kRingBegin = 16 << 10;  // in the file
inline constexpr uint64_t kFileSize = kRingBegin + (uint64_t{1} << 40);

// What a peer's nonsense is answered with.
Status Spoilt();

// This process's view. Used by whoever has the queue's lock.
class Ring {
 public:
  explicit Ring(int fd);

  // Whether the state is one that a ring can have. PROTOCOL: a peer has spoilt it.
  Status Check(const State& state) const;
  // Whether so many bytes are there at all: to read what no page is behind would make the page, and a peer's
  // nonsense could use up all memory.
  bool Has(uint64_t size) const { return size <= kLittle || size <= platform::PagesSize(fd_); }
  // Whether so many bytes more need no larger ring.
  bool Fits(const State& state, uint64_t size) const { return size <= state.capacity - state.used(); }
  // Makes room for `size` more bytes, in a larger ring if need be, which the state then names.
  Status MakeRoom(State* state, uint64_t size);
  // Makes the ring of this state accessible.
  Status Map(const State& state);
  void CopyIn(uint64_t position, const void* from, size_t size);
  void CopyOut(uint64_t position, void* to, size_t size) const;
  // The state of an empty queue with the smallest ring, and the pages of larger ones.
  bool IsSmallest(const State& state) const { return state.capacity == kSmallestRing && !state.untidy; }
  void Shrink(State* state);
  void ReleaseAll();

 private:
  static constexpr uint64_t kLittle = 256 << 10;
  static constexpr uint64_t kStep = 256 << 10;  // pages are taken in such pieces, or all of a smaller ring

  Status Grow(State* state, uint64_t size) const;
  void MakeReady(uint64_t begin, uint64_t end, uint64_t reserved);

  const int fd_;  // the queue's
  const uint64_t largest_;
  platform::MappedRegion ring_;
  std::bitset<4096> ready_;  // the first steps, a GiB: this process writes their pages without a fault
};

}  // namespace mproc::queue
