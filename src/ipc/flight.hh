// SPDX-License-Identifier: MIT
// The flight recorder of a worker: what it did last and what its task tells, in its channel, for whoever
// looks while it is stuck or after its end. The worker writes, with plain stores on lines of its own; the
// host reads whenever it likes and believes nothing.
//
// A run is in the entry of its position. Ends of runs, items and notes may be seen in the middle of being
// written: the fields are read one by one. The progress is read as a whole, or not at all: `version` is odd
// while it is written.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace mproc::ipc {

inline constexpr uint32_t kRuns = 256;    // no more tasks are out at a time
inline constexpr uint32_t kNotes = 16;    // log records
inline constexpr size_t kNoteWords = 13;  // 104 bytes of its text

struct RunMemory {
  std::atomic<int64_t> begun_at;  // monotonic clock; 0: none yet
  std::atomic<int64_t> elapsed;   // -1: it runs
  std::atomic<uint64_t> task;     // id
  std::atomic<uint32_t> function;
  std::atomic<uint32_t> index;  // of the first item
};

struct alignas(128) NoteMemory {
  std::atomic<int64_t> at;  // monotonic clock
  std::atomic<uint64_t> task;
  std::atomic<int32_t> level;
  std::atomic<uint32_t> size;  // of the whole text
  std::atomic<uint64_t> text[kNoteWords];
};
static_assert(sizeof(RunMemory) == 32 && sizeof(NoteMemory) == 128);

// What changes most.
struct alignas(128) FlightMemory {
  std::atomic<uint64_t> begun;  // position + 1 of the task that was begun last
  std::atomic<uint64_t> item;   // index of the item that runs, in a chunk
  std::atomic<uint64_t> version;
  std::atomic<uint64_t> progress_of;  // position + 1
  std::atomic<uint64_t> done, total;
  std::atomic<uint64_t> noted;  // notes ever made
};

// Both ends see the same memory.
struct FlightView {
  FlightMemory* now;
  RunMemory* runs;
  NoteMemory* notes;
};

// Worker's main thread.
class FlightWriter {
 public:
  explicit FlightWriter(FlightView view) : view_(view) {}

  void Begin(uint64_t position, int64_t at, uint64_t task, uint32_t function, uint32_t index) {
    RunMemory& run = view_.runs[position % kRuns];
    run.begun_at.store(at, std::memory_order_relaxed);
    run.elapsed.store(-1, std::memory_order_relaxed);
    run.task.store(task, std::memory_order_relaxed);
    run.function.store(function, std::memory_order_relaxed);
    run.index.store(index, std::memory_order_relaxed);
    view_.now->item.store(index, std::memory_order_relaxed);
    view_.now->begun.store(position + 1, std::memory_order_release);
  }
  // Where the index of the item that runs is told.
  std::atomic<uint64_t>& item() const { return view_.now->item; }
  void End(uint64_t position, int64_t elapsed) {
    view_.runs[position % kRuns].elapsed.store(elapsed, std::memory_order_relaxed);
  }
  void Progress(uint64_t position, uint64_t done, uint64_t total);
  void Note(int64_t at, uint64_t task, int32_t level, std::string_view text);

 private:
  FlightView view_;
};

struct Run {
  uint64_t position = 0;
  int64_t begun_at = 0;
  int64_t elapsed = 0;  // -1: it runs
  uint64_t task = 0;
  uint32_t function = 0;
  uint32_t index = 0;
};

struct Note {
  int64_t at = 0;
  uint64_t task = 0;
  int32_t level = 0;
  uint32_t size = 0;
  std::array<char, kNoteWords * 8> text{};
  std::string_view shown() const { return {text.data(), std::min<size_t>(size, text.size())}; }
};

// Any thread of the host, as long as the channel is there.
class FlightReader {
 public:
  explicit FlightReader(FlightView view) : view_(view) {}

  // The task that it says it has begun last. False if there was none yet.
  bool Last(Run* run) const;
  // The entry of a position, which may be that of an earlier task there.
  Run At(uint64_t position) const;
  // The item that runs, if the task of this position was begun last.
  bool ItemOf(uint64_t position, uint64_t* item) const;
  bool ProgressOf(uint64_t position, uint64_t* done, uint64_t* total) const;
  uint64_t noted() const { return view_.now->noted.load(std::memory_order_acquire); }
  // A note by its number, which has not been written over, that is.
  Note NoteAt(uint64_t number) const;

 private:
  FlightView view_;
};

}  // namespace mproc::ipc
