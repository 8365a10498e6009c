// SPDX-License-Identifier: MIT
#include "pool/map.hh"

#include <algorithm>
#include <utility>

#include "pool/completion.hh"
#include "task/item_results.hh"

namespace mproc::pool {
namespace {

constexpr uint64_t kChunkBytes = 32 * 1024;  // of a default chunk: it stays in the caches
constexpr size_t kStorageStep = 64 * 1024;
constexpr char kNotRun[] = "an earlier item of its chunk failed";

}  // namespace

Result<std::unique_ptr<MapState>> MapState::Create(const MapInput& input, uint64_t workers) {
  if (input.count > task::kLargestPayload) {
    return Status(MPROC_ERROR_TOO_LARGE, "a map has at most 2^46 items");
  }
  auto map = std::unique_ptr<MapState>(new MapState(input));
  if (input.is_array) {
    if ((input.input_stride && input.count > task::kLargestPayload / input.input_stride) ||
        (input.output_stride && input.count > task::kLargestPayload / input.output_stride)) {
      return Status(MPROC_ERROR_TOO_LARGE, "items times stride exceeds what can be carried");
    }
    map->Plan(workers);
    return map;
  }
  try {
    if (!map->Pack()) return Status(MPROC_ERROR_TOO_LARGE, "the items of the map are too large together");
  } catch (const std::exception&) {
    return Status(MPROC_ERROR_OUT_OF_MEMORY, "not enough memory to copy the items of the map");
  }
  map->Plan(workers);
  if (!map->chunks_.Open(input.count, input.chunk)) return Status(MPROC_ERROR_OUT_OF_MEMORY);
  map->input_.items = nullptr;
  map->input_.sizes = nullptr;
  return map;
}

void MapState::CountChunks() {
  uint64_t items = input_.count - next_;
  chunks_left_ = items / largest_chunk_ + (items % largest_chunk_ != 0);
}

void MapState::Plan(uint64_t workers) {
  largest_chunk_ = input_.chunk;
  if (!automatic()) return CountChunks();
  uint64_t parts = workers * 4, count = std::max<uint64_t>(input_.count, 1);
  uint64_t each =
      input_.is_array ? std::max(input_.input_stride, input_.output_stride) : OffsetOf(count) / count;
  uint64_t most = kChunkBytes / std::max<uint64_t>(each, 1);
  largest_chunk_ = std::max<uint64_t>(1, std::min(most, count / parts + (count % parts != 0)));
  sizer_ = ChunkSizer(workers, largest_chunk_);
  CountChunks();
}

bool MapState::Pack() {
  const uint64_t count = input_.count;
  const size_t* sizes = input_.sizes;
  if (!sizes || count == 0) return true;
  if (input_.broadcast) {
    item_size_ = sizes[0];
    if (item_size_ > task::kLargestPayload) return false;
    packed_ = std::make_unique_for_overwrite<std::byte[]>(item_size_);
    if (item_size_) std::memcpy(packed_.get(), input_.items[0], item_size_);
    return true;
  }
  uint64_t total = 0;
  bool same = true;
  for (uint64_t i = 0; i < count; i++) {
    if (sizes[i] > task::kLargestPayload - total) return false;
    total += sizes[i];
    same &= sizes[i] == sizes[0];
  }
  packed_ = std::make_unique_for_overwrite<std::byte[]>(total);
  item_size_ = same ? sizes[0] : task::kVaried;
  if (!same) offsets_.resize(count + 1);
  std::byte* to = packed_.get();
  auto copy = [&](uint64_t i, size_t size) {
    if (size) std::memcpy(to, input_.items[i], size);
    to += size;
  };
  if (item_size_ == sizeof(uint64_t)) {  // a copy of known size is one instruction
    for (uint64_t i = 0; i < count; i++) copy(i, sizeof(uint64_t));
    return true;
  }
  for (uint64_t i = 0; i < count; i++) {
    copy(i, sizes[i]);
    if (!same) offsets_[i + 1] = static_cast<uint64_t>(to - packed_.get());
  }
  return true;
}

bool MapState::NextChunk(Future* chunk) {
  uint64_t first = next_;
  uint64_t count = std::min(input_.chunk, input_.count - next_);
  chunk->elapsed = kNoEstimate;
  if (automatic()) {
    std::lock_guard lock(mutex_);
    count = sizer_.Next(input_.count - next_);
    chunk->elapsed = sizer_.Estimate(count);
    if (!input_.is_array) {
      if (!chunks_.Reserve()) return false;
      chunks_.Add(first);
    }
  }
  chunk->range = {first, count};
  chunk->index = static_cast<uint32_t>(std::min<uint64_t>(first, UINT32_MAX));
  chunk->input = Input::kArray;
  if (input_.is_array) {
    chunk->kind = task::Kind::kArray;
    chunk->size = sizeof(task::ChunkHead) + count * input_.input_stride;
  } else {
    // The record keeps only the range: its bytes stand in the map until the map has ended.
    chunk->kind = count == 1 ? task::Kind::kSingle : task::Kind::kItems;
    uint64_t bytes = OffsetOf(first + count) - OffsetOf(first);
    uint64_t table = item_size_ == task::kVaried ? (count + 1) * sizeof(uint64_t) : 0;
    chunk->size = count == 1 ? bytes : sizeof(task::ChunkHead) + table + bytes;
  }
  next_ += count;
  if (automatic()) {
    CountChunks();
  } else {
    chunks_left_--;  // a division is slow
  }
  return true;
}

task::ChunkHead MapState::HeadOf(const Future& chunk) const {
  return {
      chunk.range.first,    chunk.range.count,           input_.is_array ? input_.input_stride : item_size_,
      input_.output_stride, input_.keep_going ? 1u : 0u, 0};
}

ByteView MapState::BodyOf(const Future& chunk) const {
  if (input_.is_array) {
    return {input_.input + chunk.range.first * input_.input_stride, chunk.range.count * input_.input_stride};
  }
  if (input_.broadcast) return {packed_.get(), item_size_};
  uint64_t from = OffsetOf(chunk.range.first), to = OffsetOf(chunk.range.first + chunk.range.count);
  return {packed_.get() + from, to - from};
}

std::span<const uint64_t> MapState::OffsetsOf(const Future& chunk) const {
  if (item_size_ != task::kVaried) return {};
  return {offsets_.data() + chunk.range.first, chunk.range.count + 1};
}

MapState::Item MapState::item(uint64_t index) const {
  uint64_t first;
  Item chunk = chunks_.At(index, &first);
  if (chunk.state != kResults) return chunk;
  index -= first;
  auto results = task::ItemResults::Reopen({chunk.data, chunk.size});
  if (index >= results.done()) {
    return {reinterpret_cast<const std::byte*>(kNotRun), MPROC_OUTCOME_NOT_RUN, kLost};
  }
  ByteView bytes = results.at(index);
  if (results.failed_at(index)) return {bytes.data(), MPROC_OUTCOME_ERROR, kFailed};
  return {bytes.data(), bytes.size(), kValue};
}

std::byte* MapState::Room(size_t size) {
  size = (size + 15) & ~size_t{15};   // what is aligned in a chunk stays so
  if (room_size_ < size || !room_) {  // no value is null, also if it is empty
    room_size_ = std::max(size, kStorageStep);
    storage_.push_back(std::make_unique_for_overwrite<std::byte[]>(room_size_));
    room_ = storage_.back().get();
  }
  room_size_ -= size;
  return std::exchange(room_, room_ + size);
}

const std::byte* MapState::Keep(ByteView bytes) {
  std::byte* at = Room(bytes.size());
  if (!bytes.empty()) std::memcpy(at, bytes.data(), bytes.size());
  return at;
}

const std::byte* MapState::KeepText(const std::string& text) {
  return Keep(AsBytes(text.c_str(), text.size() + 1));
}

void MapState::NoteError(uint64_t index, int32_t outcome, std::unique_ptr<ErrorInfo> error) {
  if (first_error_) return;
  outcome_ = outcome;
  first_error_ = std::move(error);
  if (first_error_) first_error_->failed_item = static_cast<int64_t>(index);
}

void MapState::SetChunk(uint64_t first, uint64_t state, const std::byte* data, uint64_t size) {
  Item& chunk = chunks_.At(first, &first);
  chunk.data = data;
  chunk.size = size;
  chunk.state = state;
}

void MapState::LoseChunks(uint64_t first, uint64_t end, int32_t outcome, uint64_t state,
                          const std::string& message) {
  if (input_.is_array || first >= end) return;
  const std::byte* text = KeepText(message);
  const uint64_t step = automatic() ? end - first : input_.chunk;
  for (; first < end; first += std::min(step, end - first)) {
    SetChunk(first, state, text, static_cast<uint64_t>(outcome));
  }
}

std::unique_ptr<ErrorInfo> MapState::InfoBy(Worker worker) {
  auto info = std::make_unique<ErrorInfo>();
  info->worker_pid = worker.pid;
  info->worker_number = worker.number;
  return info;
}

bool MapState::TakeItems(uint64_t first, uint64_t count, ByteView result, Worker by) {
  // Copied first, then checked: the worker could change its own bytes in between.
  ByteView kept(Keep(result), result.size());
  task::ItemResults results;
  if (!results.Open(kept, count)) return false;
  if (results.done() < count && results.failed() == 0) return false;
  if (results.failed()) return TakeFailedItems(first, results, by);
  SetChunk(first, kResults, kept.data(), kept.size());
  return true;
}

bool MapState::TakeFailedItems(uint64_t first, const task::ItemResults& results, Worker by) {
  task::ItemResultsWriter kept;
  for (uint64_t i = 0; i < results.done(); i++) {
    ByteView bytes = results.at(i);
    if (!results.failed_at(i)) {
      if (!bytes.empty()) std::memcpy(kept.Room(bytes.size()), bytes.data(), bytes.size());
      kept.Add(bytes.size());
      continue;
    }
    auto info = InfoBy(by);
    if (!task::DecodeError(bytes, &info->error)) return false;
    kept.AddFailed(AsBytes(info->error.message.c_str(), info->error.message.size() + 1));
    NoteError(first + i, MPROC_OUTCOME_ERROR, std::move(info));
  }
  std::byte* at = Room(kept.size());
  kept.Write(at);
  SetChunk(first, kResults, at, kept.size());
  return true;
}

bool MapState::TakeArray(uint64_t first, uint64_t count, ByteView result, Worker by) {
  task::ArrayResult read;
  if (!task::ReadArrayResult(result, count, input_.output_stride, &read)) return false;
  if (!read.outputs.empty()) {
    std::memcpy(input_.output + first * input_.output_stride, read.outputs.data(), read.outputs.size());
  }
  if (!read.failed) return true;
  auto info = InfoBy(by);
  if (!task::DecodeError(read.error, &info->error)) return false;
  NoteError(first + read.done, MPROC_OUTCOME_ERROR, std::move(info));
  return true;
}

bool MapState::ChunkEnded(const Future& chunk, Ending* ending) noexcept {
  std::lock_guard lock(mutex_);
  try {
    TakeChunk(chunk, ending);
  } catch (const std::bad_alloc&) {
    NoMemory();
  }
  return Finished(chunk.range.count);
}

void MapState::NoMemory() {
  // Items that found none have neither value nor error.
  if (outcome_ == MPROC_OUTCOME_VALUE) outcome_ = MPROC_OUTCOME_ERROR;
}

void MapState::TakeChunk(const Future& chunk, Ending* ending) {
  uint64_t first = chunk.range.first, count = chunk.range.count;
  if (ending->begun_at) {
    begun_at_ = std::min(begun_at_, ending->begun_at);
    ended_at_ = std::max(ended_at_, ending->begun_at + ending->elapsed);
    last_worker_ = {chunk.worker_pid, chunk.worker_number};
  }
  if (ending->outcome == MPROC_OUTCOME_VALUE) {
    bool good = true;
    const Worker by{chunk.worker_pid, chunk.worker_number};
    if (input_.is_array) {
      good = TakeArray(first, count, ending->value, by);
    } else if (chunk.kind == task::Kind::kSingle) {
      SetChunk(first, kValue, Keep(ending->value), ending->value.size());
    } else {
      good = TakeItems(first, count, ending->value, by);
    }
    if (good) {
      if (automatic()) sizer_.Note(count, ending->elapsed);
      return;
    }
    *ending = OwnEnding(MPROC_OUTCOME_ERROR, MPROC_ERROR_PROTOCOL,
                        "the worker's results of a chunk cannot be read", MPROC_CAUSE_NONE);
  }
  const std::string message = ending->error ? ending->error->error.message : std::string();
  LoseChunks(first, first + count, ending->outcome, ending->outcome == MPROC_OUTCOME_ERROR ? kFailed : kLost,
             message);
  NoteError(first, ending->outcome, std::move(ending->error));
}

bool MapState::RestEnded(Ending* ending) noexcept {
  std::lock_guard lock(mutex_);
  uint64_t first = next_, count = input_.count - next_;
  next_ = input_.count;
  chunks_left_ = 0;
  if (count == 0) return false;
  if (automatic() && !input_.is_array) chunks_.Add(first);
  try {
    LoseChunks(first, input_.count, ending->outcome, kLost,
               ending->error ? ending->error->error.message : std::string());
  } catch (const std::bad_alloc&) {
    NoMemory();
  }
  NoteError(first, ending->outcome, std::move(ending->error));
  return Finished(count);
}

bool MapState::Finished(uint64_t items) {
  ended_ += items;
  if (ended_ < input_.count) return false;
  packed_.reset();
  std::vector<uint64_t>().swap(offsets_);
  return true;
}

Ending MapState::TakeEnding() {
  std::lock_guard lock(mutex_);
  Ending ending;
  ending.outcome = outcome_;
  ending.error = std::move(first_error_);
  if (ended_at_) {
    ending.begun_at = begun_at_;
    ending.elapsed = ended_at_ - begun_at_;
  }
  return ending;
}

}  // namespace mproc::pool
