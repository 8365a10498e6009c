// SPDX-License-Identifier: MIT
#include "ipc/channel.hh"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

#include "platform/futex.hh"

namespace mproc::ipc {
namespace {

constexpr uint64_t kLongestElapsed = (uint64_t{1} << 48) - 1;  // three days

}  // namespace

Result<HostChannel> HostChannel::Create(uint32_t polling) {
  auto memory = platform::SharedMemory::Create("mproc-channel", sizeof(ChannelMemory),
                                               platform::SharedMemory::Peer::kWrites);
  if (!memory.ok()) return memory.status();
  HostChannel channel;
  channel.memory_ = std::make_shared<platform::SharedMemory>(std::move(*memory));
  channel.shared_ = reinterpret_cast<ChannelMemory*>(channel.memory_->data());
  ChannelMemory* shared = channel.shared_;  // fresh pages are zero: every turn is empty, every bell silent
  shared->magic = kMagic;
  shared->version = kLayoutVersion;
  shared->slots = kSlots;
  shared->polling.store(polling, std::memory_order_relaxed);
  channel.log_ = LogReader(&shared->log);
  channel.log_.SetLevel(kNoLevel);
  return channel;
}

Result<uint64_t> HostChannel::Fill(int socket, const TaskFrame& frame, std::span<const ByteView> payload) {
  uint64_t position = head_;
  TaskSlot& slot = shared()->tasks[position % kSlots];
  size_t size = 0;
  for (ByteView piece : payload) size += piece.size();
  std::byte* to = slot.data;
  slot.block = 0;
  slot.offset = 0;
  if (size > kInlineBytes) {
    blocks_.NoteLost(socket, shared()->worker_lost.load(std::memory_order_acquire));
    auto place = blocks_.Allocate(socket, position, size);
    if (!place.ok()) return place.status();
    blocks_used_ = true;
    slot.block = place->block;
    slot.offset = place->offset;
    to = place->data;
  }
  for (ByteView piece : payload) {
    if (!piece.empty()) std::memcpy(to, piece.data(), piece.size());
    to += piece.size();
  }
  slot.size = size;
  Describe(&slot, frame);
  return position;
}

void HostChannel::Describe(TaskSlot* slot, const TaskFrame& frame) {
  slot->task_id = frame.task_id;
  slot->function = frame.function;
  slot->kind = frame.kind | (frame.limit ? kLimited : 0) | (frame.announced ? kAnnounced : 0);
  if (frame.limit) shared()->limits[head_ % kSlots] = frame.limit;
  slot->index = frame.index;
}

uint64_t HostChannel::FillShared(const TaskFrame& frame, uint32_t block, uint64_t offset, uint64_t size) {
  TaskSlot& slot = shared()->tasks[head_ % kSlots];
  slot.block = block;
  slot.offset = offset;
  slot.size = size;
  Describe(&slot, frame);
  return head_;
}

bool HostChannel::HasShared(int socket, uint32_t block) {
  blocks_.NoteLost(socket, shared()->worker_lost.load(std::memory_order_acquire));
  return blocks_.Good(block);
}

void HostChannel::ReturnBlock(uint32_t block) {
  shared()->returns[returned_ % kReturns].store(block, std::memory_order_relaxed);
  shared()->returned.store(++returned_, std::memory_order_release);
}

void HostChannel::Publish() {
  shared()->tasks[head_ % kSlots].turn.store(TurnOf(head_, kPublished), std::memory_order_seq_cst);
  head_++;
}

bool HostChannel::TakeBack(uint64_t position) {
  uint64_t expected = TurnOf(position, kPublished);
  return shared()->tasks[position % kSlots].turn.compare_exchange_strong(expected, TurnOf(position, kTaken),
                                                                         std::memory_order_seq_cst);
}

bool HostChannel::IsQueued(uint64_t position) const {
  return shared()->tasks[position % kSlots].turn.load(std::memory_order_acquire) ==
         TurnOf(position, kPublished);
}

void HostChannel::WakeWorker() {
  std::atomic<uint32_t>& bell = shared()->worker_bell;
  if (bell.load(std::memory_order_seq_cst) == kAwake) return;
  if (bell.exchange(kAwake, std::memory_order_seq_cst) != kAwake) platform::FutexWake(&bell, 1, true);
}

void HostChannel::SetOrder(Order order) {
  shared()->order.store(order, std::memory_order_seq_cst);
  WakeWorker();
}

bool HostChannel::HasResult() const {
  return shared()->results[result_position_ % kSlots].turn.load(std::memory_order_seq_cst) ==
         TurnOf(result_position_, kPublished);
}

bool HostChannel::PeekResult(ResultFrame* frame) const {
  if (!HasResult()) return false;
  const ResultSlot& slot = shared()->results[result_position_ % kSlots];
  const volatile ResultSlot& once = slot;  // each field is read once: the worker may change it any time
  frame->task = once.task;
  frame->size = once.size;
  frame->offset = once.offset;
  frame->block = once.block;
  frame->status = once.status;
  frame->elapsed = uint64_t{once.elapsed_high} << 32 | once.elapsed;
  frame->lent = once.lent != 0;
  frame->data = slot.data;
  return true;
}

Result<WorkerChannel> WorkerChannel::Attach(platform::UniqueFd memory, platform::UniqueFd leader_bell,
                                            platform::UniqueFd engine_bell) {
  auto mapped = platform::SharedMemory::Adopt(std::move(memory),
                                              (sizeof(ChannelMemory) + 4095) & ~size_t{4095}, false, true);
  if (!mapped.ok()) return mapped.status();
  mapped->CloseFd();
  return Attach(std::make_shared<platform::SharedMemory>(std::move(*mapped)), std::move(leader_bell),
                std::move(engine_bell));
}

Result<WorkerChannel> WorkerChannel::Attach(std::shared_ptr<platform::SharedMemory> memory,
                                            platform::UniqueFd leader_bell, platform::UniqueFd engine_bell) {
  WorkerChannel channel;
  channel.memory_ = std::move(memory);
  channel.shared_ = reinterpret_cast<ChannelMemory*>(channel.memory_->data());
  channel.leader_bell_ = std::move(leader_bell);
  channel.engine_bell_ = std::move(engine_bell);
  const ChannelMemory* shared = channel.shared();
  if (shared->magic != kMagic || shared->version != kLayoutVersion || shared->slots != kSlots) {
    return Status(MPROC_ERROR_TABLE_MISMATCH, "host and worker are of different versions of libmproc");
  }
  return channel;
}

bool WorkerChannel::HasTask() const {
  uint64_t turn = shared()->tasks[task_position_ % kSlots].turn.load(std::memory_order_seq_cst);
  return turn == TurnOf(task_position_, kPublished) || turn == TurnOf(task_position_, kTaken);
}

bool WorkerChannel::Claim(TaskView* view) {
  for (bool skipped = false;;) {
    TaskSlot& slot = shared()->tasks[task_position_ % kSlots];
    uint64_t turn = slot.turn.load(std::memory_order_acquire);
    if (turn == TurnOf(task_position_, kPublished)) {
      if (!slot.turn.compare_exchange_strong(turn, TurnOf(task_position_, kClaimed),
                                             std::memory_order_seq_cst)) {
        continue;  // taken back just now
      }
      view->frame = {slot.task_id,
                     slot.function,
                     slot.kind & ~(kLimited | kAnnounced),
                     slot.index,
                     slot.kind & kLimited ? shared()->limits[task_position_ % kSlots] : 0,
                     (slot.kind & kAnnounced) != 0};
      view->position = task_position_++;
      view->size = slot.size;
      view->offset = slot.offset;
      view->block = slot.block;
      view->data = slot.data;
      return true;
    }
    if (turn == TurnOf(task_position_, kTaken)) {
      task_position_++;
      skipped = true;
      continue;
    }
    if (skipped) {  // room for the host: that is news, too
      shared()->passed.store(task_position_, std::memory_order_seq_cst);
      unrung_ = true;
    }
    return false;
  }
}

Result<std::byte*> WorkerChannel::Reserve(int socket, size_t size, Fate fate) {
  Unreserve(socket);
  if (size <= kInlineBytes) return result().data;
  Recycle(socket);
  blocks_.NoteLost(socket, shared()->host_lost.load(std::memory_order_acquire));
  auto place = blocks_.Allocate(socket, result_position_, size,
                                fate == Fate::kLent ? kLargestCopied : kLargestInArena);
  if (!place.ok()) return place.status();
  reserved_ = *place;
  in_block_ = true;
  to_lend_ = place->alone && fate == Fate::kLent;
  return reserved_.data;
}

void WorkerChannel::Recycle(int socket) {
  blocks_.Release(socket, shared()->consumed.load(std::memory_order_acquire));
  for (uint64_t all = shared()->returned.load(std::memory_order_acquire); returned_ != all; returned_++) {
    blocks_.Return(socket, shared()->returns[returned_ % kReturns].load(std::memory_order_relaxed));
  }
}

void WorkerChannel::Unreserve(int socket) {
  if (in_block_) blocks_.Undo(socket);
  in_block_ = false;
}

void WorkerChannel::PlaceElsewhere(int socket, uint64_t offset) {
  Unreserve(socket);
  elsewhere_ = offset;
}

void WorkerChannel::Publish(uint64_t position, uint32_t status, size_t size, uint64_t elapsed) {
  ResultSlot& slot = result();
  slot.task = position;
  slot.size = size;
  slot.offset = in_block_ ? reserved_.offset : std::exchange(elsewhere_, 0);
  slot.block = in_block_ ? reserved_.block : 0;
  slot.status = status;
  elapsed = std::min(elapsed, kLongestElapsed);
  slot.elapsed = static_cast<uint32_t>(elapsed);
  slot.elapsed_high = static_cast<uint16_t>(elapsed >> 32);
  slot.lent = in_block_ && to_lend_ ? 1 : 0;
  if (slot.lent) blocks_.LendLast();
  in_block_ = false;
  slot.turn.store(TurnOf(result_position_, kPublished), std::memory_order_seq_cst);
  result_position_++;
  unrung_ = true;
}

void WorkerChannel::RingHost(bool dry) {
  if (!unrung_) return;
  std::atomic<uint32_t>& bell = shared()->host_bell;
  uint32_t armed = bell.load(std::memory_order_seq_cst);
  if (armed == kRingEngineWhenDry && !dry) return;
  unrung_ = false;  // whoever arms from now on looks at the ring afterwards
  if (armed == kNobody) return;
  armed = bell.exchange(kNobody, std::memory_order_seq_cst);
  if (armed == kRingLeader) platform::RingEventFd(leader_bell_.get());
  if (armed == kRingEngine || armed == kRingEngineWhenDry) platform::RingEventFd(engine_bell_.get());
}

void WorkerChannel::Sleep(int64_t nanoseconds) {
  std::atomic<uint32_t>& bell = shared()->worker_bell;
  bell.store(kAsleep, std::memory_order_seq_cst);
  if (!HasTask() && order() == kServe) platform::FutexWait(&bell, kAsleep, nanoseconds, true);
  bell.store(kAwake, std::memory_order_seq_cst);
}

void WorkerChannel::AskToLeave() {
  shared()->leaves.store(1, std::memory_order_seq_cst);
  unrung_ = true;
}

void WorkerChannel::SleepForOrder(int64_t nanoseconds) {
  std::atomic<uint32_t>& bell = shared()->worker_bell;
  bell.store(kAsleep, std::memory_order_seq_cst);
  if (order() == kServe) platform::FutexWait(&bell, kAsleep, nanoseconds, true);
  bell.store(kAwake, std::memory_order_seq_cst);
}

}  // namespace mproc::ipc
