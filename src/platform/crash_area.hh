// SPDX-License-Identifier: MIT
// Inside of the crash trace: what the worker's handler (crash_trace.cc) writes and the host (crash_report.cc)
// reads. The area is one CrashAreaHeader, frame_count program counters of eight bytes, then map_count of
// CrashAreaMapping, each followed by its path, which is filled up to a multiple of eight bytes.
#pragma once

#include <cstddef>
#include <cstdint>

namespace mproc::platform {

inline constexpr uint64_t kCrashBegun = 0x6d70726f63747231;
inline constexpr uint64_t kCrashComplete = 0x6d70726f63747232;
inline constexpr size_t kMaxCrashFrames = 128;

struct CrashAreaHeader {
  uint64_t state;  // Zero, kCrashBegun or kCrashComplete.
  int32_t signal;
  int32_t code;
  uint64_t address;
  int64_t sender;
  uint32_t frame_count;
  uint32_t map_count;
};
static_assert(sizeof(CrashAreaHeader) == 40);

struct CrashAreaMapping {
  uint64_t start;
  uint64_t end;
  uint64_t file_offset;
  uint64_t path_size;
};
static_assert(sizeof(CrashAreaMapping) == 32);

constexpr size_t PaddedPathSize(size_t size) { return (size + 7) & ~size_t{7}; }

// A return address can lie just behind its function, so it is the call before it that counts.
constexpr uint64_t InstructionOfFrame(size_t frame, uint64_t pc) { return frame == 0 ? pc : pc - 1; }

}  // namespace mproc::platform
