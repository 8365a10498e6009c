// SPDX-License-Identifier: MIT
#include "pool/slowest.hh"

#include <algorithm>
#include <cstring>

#include "pool/map.hh"
#include "task/chunk.hh"

namespace mproc::pool {
namespace {

// Where its payload lies while the task has not been told of its end; empty if nobody knows.
ByteView PayloadOf(const WorkerSlot& worker, const Future& task) {
  if (task.input == Input::kLost) return {};
  if (task.input != Input::kChannel) return task.stored();
  const std::byte* at = worker.channel->PayloadAt(task.position);
  return {at, at ? task.size : 0};
}

// The items of a chunk that a lazy map has packed, without what stands before them.
ByteView ItemsOf(ByteView packed, SlowTask* slow) {
  task::ChunkHead head;
  if (packed.size() < sizeof head) return {};
  std::memcpy(&head, packed.data(), sizeof head);
  size_t table = head.input_stride == task::kVaried ? (head.count + 1) * sizeof(uint64_t) : 0;
  ByteView items = packed.subspan(std::min(sizeof head + table, packed.size()));
  slow->item = head.first;
  slow->items = head.count;
  slow->size = items.size();
  return items;
}

}  // namespace

void Slowest::Note(const WorkerSlot& worker, const Future& task, const Bounds& bounds, int64_t elapsed) {
  SlowTask slow;
  slow.elapsed = elapsed;
  slow.task = task.whole()->id;
  slow.function = bounds.FunctionOf(task.function);
  slow.worker = worker.number;
  slow.item = task.index;
  slow.size = task.size;
  ByteView argument;
  if (task.is_chunk) {
    slow.item = task.range.first;
    slow.items = task.range.count;
    argument = task.parent->extra->map->BodyOf(task);
    slow.size = argument.size();
  } else {
    argument = PayloadOf(worker, task);
    if (task.kind == task::Kind::kItems) argument = ItemsOf(argument, &slow);
  }
  slow.kept = std::min(argument.size(), SlowTask::kMostBytes);
  std::copy_n(argument.begin(), slow.kept, slow.bytes.begin());
  size_t place = std::min(size_, kMost - 1);  // the last one makes room
  for (; place > 0 && tasks_[place - 1].elapsed < elapsed; place--) tasks_[place] = tasks_[place - 1];
  tasks_[place] = slow;
  size_ = std::min(size_ + 1, kMost);
  int64_t least = tasks_[kMost - 1].elapsed;
  if (size_ == kMost) bar_ = least + std::min(least / 8, INT64_MAX - least);
}

}  // namespace mproc::pool
