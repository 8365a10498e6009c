// SPDX-License-Identifier: MIT
// One map: a source of chunks, made one by one as workers have room for them, and the place where their
// results come together.
#pragma once

#include <cstdint>
#include <deque>
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
  uint64_t chunk = 1;
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
  // Copies the items. TOO_LARGE or OUT_OF_MEMORY.
  static Result<std::unique_ptr<MapState>> Create(const MapInput& input);

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
  // Where the items of a chunk begin in the packed bytes, and the end; byte items only.
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
  enum ItemState : uint8_t { kNone = 0, kValue = 1, kFailed = 2, kLost = 3 };
  struct Item {
    const std::byte* data = nullptr;  // of a value; else the zero-ended message
    uint64_t size : 56 = 0;           // of a value; else the outcome
    uint64_t state : 8 = kNone;
  };
  const Item& item(uint64_t index) const { return items_[index]; }

 private:
  explicit MapState(const MapInput& input) : input_(input) {}
  const std::byte* Keep(ByteView bytes, bool zero_ended);
  void NoteError(uint64_t index, int32_t outcome, std::unique_ptr<ErrorInfo> error);
  void SetRange(uint64_t first, uint64_t count, int32_t outcome, const std::string& message);
  // `by` names the worker, for the errors that are found.
  bool TakeItems(uint64_t first, uint64_t count, ByteView result, const ErrorInfo& by);
  bool TakeArray(uint64_t first, uint64_t count, ByteView result, const ErrorInfo& by);
  bool Finished(uint64_t items);

  MapInput input_;
  uint64_t next_ = 0;              // pool's mutex
  std::vector<std::byte> packed_;  // items one after the other
  std::vector<uint64_t> offsets_;  // of each item, and the end

  std::mutex mutex_;         // guards all below
  uint64_t ended_ = 0;       // items
  std::vector<Item> items_;  // byte items only
  std::deque<std::vector<std::byte>> storage_;
  int32_t outcome_ = MPROC_OUTCOME_VALUE;
  std::unique_ptr<ErrorInfo> first_error_;
};

}  // namespace mproc::pool
