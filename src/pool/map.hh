// SPDX-License-Identifier: MIT
// One map: a source of chunks, made one by one as workers have room for them, and the place where their
// results come together: for each chunk its results as the worker sent them, checked once.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "base/status.hh"
#include "pool/future.hh"
#include "task/chunk.hh"

namespace mproc::pool {

struct MapInput {
  uint64_t count = 0;
  uint64_t chunk = 1;  // items; 0: ceil(count / (4 x workers)), but at most 32 KiB of items
  bool keep_going = false;
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
  uint64_t chunks_left() const {
    uint64_t items = input_.count - next_;
    return items / input_.chunk + (items % input_.chunk != 0);
  }
  // Head and body of an array chunk, for its slot.
  task::ChunkHead HeadOf(const Future& chunk) const;
  ByteView BodyOf(const Future& chunk) const;
  // Where the items of a chunk begin in the packed bytes, and the end; empty if all are of one size.
  std::span<const uint64_t> OffsetsOf(const Future& chunk) const;

  // -- the results; thread-safe
  // Takes the end of a chunk in. True if it was the last: the map has ended.
  bool ChunkEnded(const Future& chunk, Ending* ending);
  // Ends the items that no chunk was made of yet; the pool's mutex is held. True as above.
  bool RestEnded(Ending* ending);
  // How the map ended. After the end.
  Ending TakeEnding();

  uint64_t count() const { return input_.count; }
  bool is_array() const { return input_.is_array; }
  enum ItemState : uint8_t { kNone = 0, kValue = 1, kFailed = 2, kLost = 3, kResults = 4 };
  struct Item {
    const std::byte* data;  // of a value; else the zero-ended message
    uint64_t size : 56;     // of a value or results; else the outcome
    uint64_t state : 8;
  };
  // Byte items only, after the end of the map.
  Item item(uint64_t index) const;

 private:
  struct Free {
    void operator()(void* memory) const { std::free(memory); }
  };

  explicit MapState(const MapInput& input) : input_(input) {}
  // Copies the items; false if they are too large together.
  bool Pack();
  void ChooseChunk(uint64_t workers);
  uint64_t OffsetOf(uint64_t index) const {
    return item_size_ == task::kVaried ? offsets_[index] : index * item_size_;
  }
  std::byte* Room(size_t size);
  const std::byte* Keep(ByteView bytes);
  const std::byte* KeepText(const std::string& text);
  void NoteError(uint64_t index, int32_t outcome, std::unique_ptr<ErrorInfo> error);
  // `by` names the worker, for the errors that are found.
  bool TakeItems(uint64_t first, uint64_t count, ByteView result, const ErrorInfo& by);
  bool TakeFailedItems(uint64_t first, const task::ItemResults& results, const ErrorInfo& by);
  bool TakeArray(uint64_t first, uint64_t count, ByteView result, const ErrorInfo& by);
  void SetChunk(uint64_t first, uint64_t state, const std::byte* data, uint64_t size);
  void LoseChunks(uint64_t first, uint64_t end, int32_t outcome, uint64_t state, const std::string& message);
  bool Finished(uint64_t items);

  MapInput input_;
  uint64_t next_ = 0;                    // pool's mutex
  std::unique_ptr<std::byte[]> packed_;  // items one after the other
  uint64_t item_size_ = 0;               // of each, or kVaried
  std::vector<uint64_t> offsets_;        // if kVaried: of each item, and the end

  std::mutex mutex_;    // guards all below
  uint64_t ended_ = 0;  // items
  // Byte items only: what came of each chunk. A chunk of one item, or one that failed as a whole, is such an
  // item; the others have their results as in task/chunk.hh, a failed item with its zero-ended message. The
  // system gives the pages when something came.
  std::unique_ptr<Item[], Free> chunks_;
  std::vector<std::unique_ptr<std::byte[]>> storage_;
  std::byte* room_ = nullptr;  // of the last of storage_
  size_t room_size_ = 0;
  int32_t outcome_ = MPROC_OUTCOME_VALUE;
  std::unique_ptr<ErrorInfo> first_error_;
};

}  // namespace mproc::pool
