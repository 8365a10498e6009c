// SPDX-License-Identifier: MIT
#include "ipc/log_ring.hh"

#include <algorithm>
#include <cstring>

namespace mproc::ipc {
namespace {

uint64_t Padded(uint64_t size) { return (size + 7) & ~uint64_t{7}; }

// Calls `copy` for the one or two pieces of the ring from `at` on.
template <typename Copy>
void InPieces(uint64_t at, size_t size, Copy&& copy) {
  size_t begin = at % kLogBytes, first = std::min(size, kLogBytes - begin);
  copy(begin, 0, first);
  if (first < size) copy(0, first, size - first);
}

}  // namespace

bool LogWriter::Write(const LogHead& head, std::string_view text) {
  uint64_t written = memory_->written.load(std::memory_order_relaxed);
  uint64_t used = written - memory_->taken.load(std::memory_order_acquire);
  uint64_t needed = sizeof head + Padded(text.size());
  if (used > kLogBytes || needed > kLogBytes - used) return false;
  auto put = [&](uint64_t at, const void* from, size_t size) {
    InPieces(at, size, [&](size_t place, size_t offset, size_t count) {
      std::memcpy(memory_->bytes + place, static_cast<const char*>(from) + offset, count);
    });
  };
  put(written, &head, sizeof head);
  put(written + sizeof head, text.data(), text.size());
  memory_->written.store(written + needed, std::memory_order_seq_cst);
  return true;
}

LogReader::Got LogReader::Take(LogRecord* record) {
  uint64_t there = memory_->written.load(std::memory_order_seq_cst) - taken_;
  if (there == 0) return Got::kNothing;
  if (there > kLogBytes || there < sizeof record->head) return Got::kNonsense;
  auto get = [&](uint64_t at, void* to, size_t size) {
    InPieces(at, size, [&](size_t place, size_t offset, size_t count) {
      std::memcpy(static_cast<char*>(to) + offset, memory_->bytes + place, count);
    });
  };
  get(taken_, &record->head, sizeof record->head);
  size_t size = record->head.size;
  if (size > kLongestRecord || sizeof record->head + Padded(size) > there) return Got::kNonsense;
  record->text.resize(size);
  get(taken_ + sizeof record->head, record->text.data(), size);
  taken_ += sizeof record->head + Padded(size);
  memory_->taken.store(taken_, std::memory_order_release);
  return Got::kRecord;
}

uint64_t LogReader::TakeDropped() {
  uint64_t all = memory_->dropped.load(std::memory_order_relaxed);
  uint64_t since = all - dropped_;
  dropped_ = all;
  return since;
}

}  // namespace mproc::ipc
