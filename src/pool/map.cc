// SPDX-License-Identifier: MIT
#include "pool/map.hh"

#include <algorithm>

#include "pool/completion.hh"

namespace mproc::pool {
namespace {

constexpr size_t kStorageStep = 64 * 1024;

}  // namespace

Result<std::unique_ptr<MapState>> MapState::Create(const MapInput& input) {
  if (input.count > task::kLargestPayload) {
    return Status(MPROC_ERROR_TOO_LARGE, "a map has at most 2^46 items");
  }
  auto map = std::unique_ptr<MapState>(new MapState(input));
  if (input.is_array) {
    if ((input.input_stride && input.count > task::kLargestPayload / input.input_stride) ||
        (input.output_stride && input.count > task::kLargestPayload / input.output_stride)) {
      return Status(MPROC_ERROR_TOO_LARGE, "items times stride exceeds what can be carried");
    }
    return map;
  }
  try {
    uint64_t total = 0;
    map->offsets_.reserve(input.count + 1);
    for (uint64_t i = 0; i < input.count; i++) {
      map->offsets_.push_back(total);
      uint64_t size = input.sizes ? input.sizes[i] : 0;
      if (size > task::kLargestPayload - total) {
        return Status(MPROC_ERROR_TOO_LARGE, "the items of the map are too large together");
      }
      total += size;
    }
    map->offsets_.push_back(total);
    map->packed_.resize(total);
    for (uint64_t i = 0; input.sizes && i < input.count; i++) {
      if (input.sizes[i]) {
        std::memcpy(map->packed_.data() + map->offsets_[i], input.items[i], input.sizes[i]);
      }
    }
    map->items_.resize(input.count);
  } catch (const std::exception&) {
    return Status(MPROC_ERROR_OUT_OF_MEMORY, "not enough memory to copy the items of the map");
  }
  map->input_.items = nullptr;
  map->input_.sizes = nullptr;
  return map;
}

bool MapState::NextChunk(Future* chunk) {
  uint64_t first = next_;
  uint64_t count = std::min(input_.chunk, input_.count - next_);
  chunk->range = {first, count};
  chunk->index = static_cast<uint32_t>(std::min<uint64_t>(first, UINT32_MAX));
  chunk->input = Input::kArray;
  if (input_.is_array) {
    chunk->kind = task::Kind::kArray;
    chunk->size = sizeof(task::ChunkHead) + count * input_.input_stride;
  } else {
    // The record keeps only the range: its bytes stand in the map until the map has ended.
    chunk->kind = count == 1 ? task::Kind::kSingle : task::Kind::kItems;
    uint64_t bytes = offsets_[first + count] - offsets_[first];
    chunk->size = count == 1 ? bytes : sizeof(task::ChunkHead) + (count + 1) * sizeof(uint64_t) + bytes;
  }
  next_ += count;
  return true;
}

task::ChunkHead MapState::HeadOf(const Future& chunk) const {
  return {chunk.range.first, chunk.range.count, input_.input_stride, input_.output_stride,
          input_.keep_going ? 1u : 0u};
}

ByteView MapState::BodyOf(const Future& chunk) const {
  if (input_.is_array) {
    return {input_.input + chunk.range.first * input_.input_stride, chunk.range.count * input_.input_stride};
  }
  uint64_t from = offsets_[chunk.range.first], to = offsets_[chunk.range.first + chunk.range.count];
  return {packed_.data() + from, to - from};
}

std::span<const uint64_t> MapState::OffsetsOf(const Future& chunk) const {
  return {offsets_.data() + chunk.range.first, chunk.range.count + 1};
}

const std::byte* MapState::Keep(ByteView bytes, bool zero_ended) {
  size_t need = bytes.size() + (zero_ended ? 1 : 0);
  if (storage_.empty() || storage_.back().capacity() - storage_.back().size() < need) {
    storage_.emplace_back();
    storage_.back().reserve(std::max(need, kStorageStep));
  }
  auto& block = storage_.back();
  size_t at = block.size();
  block.insert(block.end(), bytes.begin(), bytes.end());
  if (zero_ended) block.push_back(std::byte{0});
  return block.data() + at;
}

void MapState::NoteError(uint64_t index, int32_t outcome, std::unique_ptr<ErrorInfo> error) {
  if (first_error_) return;
  outcome_ = outcome;
  first_error_ = std::move(error);
  if (first_error_) first_error_->failed_item = static_cast<int64_t>(index);
}

void MapState::SetRange(uint64_t first, uint64_t count, int32_t outcome, const std::string& message) {
  if (input_.is_array || count == 0) return;
  const std::byte* text = Keep(AsBytes(message), true);
  for (uint64_t i = first; i < first + count; i++) {
    items_[i].data = text;
    items_[i].size = static_cast<uint64_t>(outcome);
    items_[i].state = kLost;
  }
}

bool MapState::TakeItems(uint64_t first, uint64_t count, ByteView result, const ErrorInfo& by) {
  task::ItemResultReader reader;
  if (!reader.Open(result) || reader.done() > count) return false;
  uint64_t i = 0;
  for (; i < reader.done(); i++) {
    ByteView bytes;
    bool failed;
    if (!reader.Next(&bytes, &failed)) return false;
    Item& item = items_[first + i];
    if (!failed) {
      item.data = Keep(bytes, false);
      item.size = bytes.size();
      item.state = kValue;
      continue;
    }
    auto info = std::make_unique<ErrorInfo>(by);
    if (!task::DecodeError(bytes, &info->error)) return false;
    item.data = Keep(AsBytes(info->error.message), true);
    item.size = MPROC_OUTCOME_ERROR;
    item.state = kFailed;
    NoteError(first + i, MPROC_OUTCOME_ERROR, std::move(info));
  }
  if (i < count) {
    if (!first_error_) return false;
    SetRange(first + i, count - i, MPROC_OUTCOME_NOT_RUN, "an earlier item of its chunk failed");
  }
  return true;
}

bool MapState::TakeArray(uint64_t first, uint64_t count, ByteView result, const ErrorInfo& by) {
  task::ArrayResult read;
  if (!task::ReadArrayResult(result, count, input_.output_stride, &read)) return false;
  if (!read.outputs.empty()) {
    std::memcpy(input_.output + first * input_.output_stride, read.outputs.data(), read.outputs.size());
  }
  if (!read.failed) return true;
  auto info = std::make_unique<ErrorInfo>(by);
  if (!task::DecodeError(read.error, &info->error)) return false;
  NoteError(first + read.done, MPROC_OUTCOME_ERROR, std::move(info));
  return true;
}

bool MapState::ChunkEnded(const Future& chunk, Ending* ending) {
  std::lock_guard lock(mutex_);
  uint64_t first = chunk.range.first, count = chunk.range.count;
  if (ending->outcome == MPROC_OUTCOME_VALUE) {
    bool good = true;
    ErrorInfo by;
    by.worker_pid = chunk.worker_pid;
    by.worker_number = chunk.worker_number;
    if (input_.is_array) {
      good = TakeArray(first, count, ending->value, by);
    } else if (chunk.kind == task::Kind::kSingle) {
      items_[first].data = Keep(ending->value, false);
      items_[first].size = ending->value.size();
      items_[first].state = kValue;
    } else {
      good = TakeItems(first, count, ending->value, by);
    }
    if (good) return Finished(count);
    *ending = ErrorEnding(
        {MPROC_ERROR_PROTOCOL, "MPROC_ERROR_PROTOCOL", "the worker's results of a chunk cannot be read", ""});
  }
  const std::string message = ending->error ? ending->error->error.message : std::string();
  SetRange(first, count, ending->outcome, message);
  if (!input_.is_array && ending->outcome == MPROC_OUTCOME_ERROR) {
    for (uint64_t i = first; i < first + count; i++) items_[i].state = kFailed;
  }
  NoteError(first, ending->outcome, std::move(ending->error));
  return Finished(count);
}

bool MapState::RestEnded(Ending* ending) {
  std::lock_guard lock(mutex_);
  uint64_t first = next_, count = input_.count - next_;
  next_ = input_.count;
  if (count == 0) return false;
  SetRange(first, count, ending->outcome, ending->error ? ending->error->error.message : std::string());
  NoteError(first, ending->outcome, std::move(ending->error));
  return Finished(count);
}

bool MapState::Finished(uint64_t items) {
  ended_ += items;
  if (ended_ < input_.count) return false;
  std::vector<std::byte>().swap(packed_);
  std::vector<uint64_t>().swap(offsets_);
  return true;
}

Ending MapState::TakeEnding() {
  std::lock_guard lock(mutex_);
  Ending ending;
  ending.outcome = outcome_;
  ending.error = std::move(first_error_);
  return ending;
}

}  // namespace mproc::pool
