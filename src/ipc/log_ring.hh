// SPDX-License-Identifier: MIT
// Log records on their way from a worker to the host: a ring of bytes in the channel, one writer, one reader.
// A record is a head and its text, filled up to a multiple of eight bytes; it is there when `written` says
// so, before the result of its task is published. The worker waits a while for room and then drops and
// counts; the reader checks each head and trusts nothing.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace mproc::ipc {

inline constexpr size_t kLogBytes = 32 * 1024;
inline constexpr size_t kLongestRecord = 8 * 1024;  // what is longer is cut
inline constexpr int32_t kNoLevel = INT32_MAX;      // of a host that wants no records

struct LogHead {
  uint32_t size;
  int32_t level;
  uint64_t position;  // of the task in its channel
  uint64_t task;      // its id; 0: an initializer
  int64_t at;         // monotonic clock
};
static_assert(sizeof(LogHead) == 32);

struct LogMemory {
  // Written by the worker.
  alignas(128) std::atomic<uint64_t> written;  // bytes ever
  std::atomic<uint64_t> dropped;               // records
  // Written by the host.
  alignas(128) std::atomic<uint64_t> taken;  // bytes
  std::atomic<int32_t> level;                // the least that it wants
  alignas(128) std::byte bytes[kLogBytes];
};

// Worker's main thread.
class LogWriter {
 public:
  explicit LogWriter(LogMemory* memory) : memory_(memory) {}

  int32_t level() const { return memory_->level.load(std::memory_order_relaxed); }
  // False if there is no room. `head.size` is that of the text.
  bool Write(const LogHead& head, std::string_view text);
  void CountDropped() { memory_->dropped.fetch_add(1, std::memory_order_relaxed); }

 private:
  LogMemory* memory_;
};

struct LogRecord {
  LogHead head;
  std::string text;
};

// The pool's drain lock.
class LogReader {
 public:
  LogReader() = default;
  explicit LogReader(LogMemory* memory) : memory_(memory) {}

  // Before the worker is started.
  void SetLevel(int32_t level) { memory_->level.store(level, std::memory_order_relaxed); }
  // Whether something may be there.
  bool any() const { return memory_->written.load(std::memory_order_seq_cst) != taken_; }
  enum class Got { kNothing, kRecord, kNonsense };
  Got Take(LogRecord* record);
  // Records that the worker has dropped since this was asked last.
  uint64_t TakeDropped();

 private:
  LogMemory* memory_ = nullptr;
  uint64_t taken_ = 0;
  uint64_t dropped_ = 0;
};

}  // namespace mproc::ipc
