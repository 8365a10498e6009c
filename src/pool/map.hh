// SPDX-License-Identifier: MIT
// One map: a source of chunks, made one by one as workers have room for them, and the place where their
// results come together: for each chunk its results as the worker sent them, checked once.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "base/status.hh"
#include "pool/chunk_records.hh"
#include "pool/chunk_sizer.hh"
#include "pool/future.hh"
#include "task/chunk.hh"

namespace mproc::pool {

struct MapInput {
  uint64_t count = 0;
  uint64_t chunk = 1;  // items; 0: automatic, as chunk_sizer.hh says
  bool keep_going = false;
  bool broadcast = false;  // each item is the first, and for one worker: chunks of one
  // Byte items (copied) ...
  const void* const* items = nullptr;
  const size_t* sizes = nullptr;
  // ... or an array (borrowed until the map has ended).
  bool is_array = false;
  const std::byte* input = nullptr;
  size_t input_stride = 0;
  std::byte* output = nullptr;
  size_t output_stride = 0;
};

// How a task came to its end; completion.hh.
struct Ending;

class MapState {
 public:
  // Copies the items, for a pool of so many workers. TOO_LARGE or OUT_OF_MEMORY.
  static Result<std::unique_ptr<MapState>> Create(const MapInput& input, uint64_t workers);

  // -- the source; guarded by the pool's mutex
  bool exhausted() const { return next_ >= input_.count; }
  // Fills a fresh record with the next chunk. False without memory.
  bool NextChunk(Future* chunk);
  // Automatic chunks: if they are as large as they can be.
  uint64_t chunks_left() const { return chunks_left_; }
  // Head and body of an array chunk, for its slot.
  task::ChunkHead HeadOf(const Future& chunk) const;
  ByteView BodyOf(const Future& chunk) const;
  // Where the items of a chunk begin in the packed bytes, and the end; empty if all are of one size.
  std::span<const uint64_t> OffsetsOf(const Future& chunk) const;

  // -- the results; thread-safe
  // Takes the end of a chunk in. True if it was the last: the map has ended.
  bool ChunkEnded(const Future& chunk, Ending* ending) noexcept;
  // Ends the items that no chunk was made of yet; the pool's mutex is held. True as above.
  bool RestEnded(Ending* ending) noexcept;
  // How the map ended. After the end.
  Ending TakeEnding();

  uint64_t count() const { return input_.count; }
  uint64_t ended() {
    std::lock_guard lock(mutex_);
    return ended_;
  }
  // The most items that were ever told to be done, with these; the pool's mutex is held.
  uint64_t NoteTold(uint64_t done) { return told_ = std::max(told_, done); }
  bool is_array() const { return input_.is_array; }
  bool is_broadcast() const { return input_.broadcast; }
  // Who ran the chunk that ended last. After the end.
  struct Worker {
    int32_t pid = 0;
    uint32_t number = 0;
  };
  Worker last_worker() const { return last_worker_; }
  enum ItemState : uint8_t { kNone = 0, kValue = 1, kFailed = 2, kLost = 3, kResults = 4 };
  struct Item {
    const std::byte* data;  // of a value; else the zero-ended message
    uint64_t size : 56;     // of a value or results; else the outcome
    uint64_t state : 8;
  };
  // Byte items only, after the end of the map.
  Item item(uint64_t index) const;

 private:
  explicit MapState(const MapInput& input) : input_(input) {}
  // Copies the items; false if they are too large together.
  bool Pack();
  bool automatic() const { return input_.chunk == 0; }
  // Says how large a chunk may be.
  void Plan(uint64_t workers);
  void CountChunks();
  uint64_t OffsetOf(uint64_t index) const {
    return item_size_ == task::kVaried ? offsets_[index] : index * item_size_;
  }
  std::byte* Room(size_t size);
  const std::byte* Keep(ByteView bytes);
  const std::byte* KeepText(const std::string& text);
  void NoteError(uint64_t index, int32_t outcome, std::unique_ptr<ErrorInfo> error);
  static std::unique_ptr<ErrorInfo> InfoBy(Worker worker);
  // `by` for the errors that are found.
  bool TakeItems(uint64_t first, uint64_t count, ByteView result, Worker by);
  bool TakeFailedItems(uint64_t first, const task::ItemResults& results, Worker by);
  bool TakeArray(uint64_t first, uint64_t count, ByteView result, Worker by);
  void SetChunk(uint64_t first, uint64_t state, const std::byte* data, uint64_t size);
  // What there is of chunks in [first, end) is whole ones; automatic: one.
  void LoseChunks(uint64_t first, uint64_t end, int32_t outcome, uint64_t state, const std::string& message);
  void TakeChunk(const Future& chunk, Ending* ending);
  // Something that came could not be kept.
  void NoMemory();
  bool Finished(uint64_t items);

  MapInput input_;
  uint64_t largest_chunk_ = 1;
  uint64_t next_ = 0;                    // pool's mutex
  uint64_t chunks_left_ = 0;             // the same
  uint64_t told_ = 0;                    // pool's mutex
  std::unique_ptr<std::byte[]> packed_;  // items one after the other
  uint64_t item_size_ = 0;               // of each, or kVaried
  std::vector<uint64_t> offsets_;        // if kVaried: of each item, and the end

  std::mutex mutex_;                             // guards all below
  uint64_t ended_ = 0;                           // items
  int64_t begun_at_ = INT64_MAX, ended_at_ = 0;  // of the timed chunks, the first and the last
  Worker last_worker_;                           // of these
  ChunkSizer sizer_;                             // automatic chunks only
  // Byte items only: what came of each chunk. A chunk of one item, or one that failed as a whole, is such an
  // item; the others have their results as in task/chunk.hh, a failed item with its zero-ended message.
  mutable ChunkRecords<Item> chunks_;
  std::vector<std::unique_ptr<std::byte[]>> storage_;
  std::byte* room_ = nullptr;  // of the last of storage_
  size_t room_size_ = 0;
  int32_t outcome_ = MPROC_OUTCOME_VALUE;
  std::unique_ptr<ErrorInfo> first_error_;
};

// A task of a broadcast.
inline bool IsForOneWorker(const Future& task) {
  return task.is_chunk && task.parent->extra->map->is_broadcast();
}

}  // namespace mproc::pool
