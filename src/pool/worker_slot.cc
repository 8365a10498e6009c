// SPDX-License-Identifier: MIT
#include "pool/worker_slot.hh"

#include <algorithm>

#include "base/clock.hh"
#include "pool/begin_due.hh"
#include "pool/bounds.hh"
#include "pool/map.hh"
#include "pool/output.hh"
#include "start/link.hh"

namespace mproc::pool {
namespace {

constexpr int kMostMessages = 4096;  // between two looks at the socket
constexpr uint32_t kFirstDepth = 4;
constexpr uint32_t kLeastDepth = 2;
constexpr uint64_t kWorkAhead = 500'000;      // ns
constexpr uint64_t kBytesAhead = 256 * 1024;  // beyond two tasks; half of an arena, so that it suffices

}  // namespace

uint32_t WorkerSlot::Depth() const {
  if (task_ns == 0) return kFirstDepth;
  return static_cast<uint32_t>(std::clamp<uint64_t>(kWorkAhead / task_ns, kLeastDepth, ipc::kSlots));
}

uint64_t WorkerSlot::WaitEstimate() const {
  if (held == 0) return 0;
  return task_ns == 0 ? UINT64_MAX : uint64_t{held} * task_ns;
}

bool WorkerSlot::HasWorkFor(uint64_t nanoseconds) const {
  if (WaitEstimate() < nanoseconds) return false;
  uint64_t many = task_ns ? nanoseconds / task_ns : 0;
  if (many < 2) return true;  // one such task is long enough, and it may be running now
  // Some of what it holds may have ended already, its results not read yet: look at the slot itself.
  return channel->head() - tail < many || channel->IsQueued(channel->head() - many);
}

void WorkerSlot::NoteTaskTime(uint64_t nanoseconds) {
  // A task that lost its CPU for a while says nothing about the others: quick to believe in shorter times,
  // slow in longer ones, and no sample counts for more than four times what is known.
  uint64_t sample = std::max<uint64_t>(1, nanoseconds), known = task_ns;
  if (known && sample < known) sample = (known + sample) / 2;
  if (known && sample > known) sample = known + (std::min(sample, known * 4) - known + 7) / 8;
  task_ns = static_cast<uint32_t>(std::min<uint64_t>(sample, UINT32_MAX));
}

void WorkerSlot::ExpectTaskTime(int64_t nanoseconds) {
  if (nanoseconds == kNoEstimate) return;
  auto expected = static_cast<uint32_t>(std::min<int64_t>(nanoseconds, UINT32_MAX));
  if (expected == 0 || expected / 4 > task_ns) task_ns = expected;
}

bool WorkerSlot::NearsEnd() const {
  uint64_t left = quota + held;
  return quota == 0 || (task_ns && left <= kStartAhead / task_ns);
}

bool WorkerSlot::CanTake(uint64_t bytes) const {
  if (state != WorkerState::kReady || seat != Seat::kTaken || quota == 0) return false;
  if (stuck || held >= Depth()) return false;
  if (held >= kLeastDepth && held_bytes + bytes > kBytesAhead) return false;
  return channel->Room(tail) > 0;
}

void WorkerSlot::SetChannel(ipc::HostChannel made, std::shared_ptr<EngineSide> engine) {
  channel.emplace(std::move(made));
  lender = std::make_shared<BlockLender>(&*channel, engine);
  known_blocks.Open(std::move(engine));
}

Status WorkerSlot::Give(Future* task, ByteView payload) {
  if (task->input == Input::kLost) {
    return Status(MPROC_ERROR_OUT_OF_MEMORY, "there was no memory for it when it came back from a worker");
  }
  ipc::TaskFrame frame{task->id,
                       task->function,
                       static_cast<uint32_t>(task->kind),
                       task->index,
                       task->governed ? task->policy().time_limit : 0,
                       BeginDue::Waits(*task)};
  ByteView pieces[3];
  task::ChunkHead head;
  size_t count = 1;
  if (task->input != Input::kArray) {
    pieces[0] = task->input == Input::kChannel ? payload : task->stored();
  } else {
    const MapState& map = *task->parent->extra->map;
    if (task->kind == task::Kind::kSingle) {
      pieces[0] = map.BodyOf(*task);
    } else {
      head = map.HeadOf(*task);
      pieces[0] = AsBytes(&head, sizeof head);
      if (task->kind == task::Kind::kItems) {
        auto offsets = map.OffsetsOf(*task);
        if (!offsets.empty()) pieces[count++] = AsBytes(offsets.data(), offsets.size_bytes());
      }
      pieces[count++] = map.BodyOf(*task);
    }
  }
  uint32_t block = 0;
  if (task->kind == task::Kind::kBlock) {
    const auto& shared = static_cast<BlockUse*>(task->held.holder)->block();
    auto sent = known_blocks.NumberOf(shared, &*channel, socket.get(), tail);
    if (!sent.ok()) return sent.status();
    block = *sent;
  }
  uint64_t position = channel->head();
  task->position = position;
  task->place = place;
  task->worker_number = number;
  task->worker_pid = pid.load(std::memory_order_relaxed);
  uint64_t bytes = task->size;
  if (task->is_chunk) ExpectTaskTime(task->elapsed);
  if (block) {
    auto* use = static_cast<BlockUse*>(task->held.holder);
    auto offset = static_cast<uint64_t>(task->held.data - use->block()->data());
    channel->FillShared(frame, block, offset, bytes);
  } else if (auto filled = channel->Fill(socket.get(), frame, {pieces, count}); !filled.ok()) {
    task->place = -1;
    return filled.status();
  }
  // After the last look at the record and before the slot is published: its result may come at once, and the
  // record be gone. Whoever takes the entry out sees all that was done here.
  in_flight[position % ipc::kSlots].store(task, std::memory_order_release);
  if (quota != WorkerOptions::kUnlimited && !IsForOneWorker(*task)) quota--;
  channel->Publish();
  held++;
  held_bytes += bytes;
  return Status();
}

Status WorkerSlot::GiveBound(Future* task, ByteView payload, const Bounds& bounds) {
  auto sent = known_blocks.NumberOf(bounds.MemoryOf(task->function), &*channel, socket.get(), tail);
  return sent.ok() ? Give(task, payload) : sent.status();
}

Future* WorkerSlot::TakeBack(uint64_t position, Payload payload) {
  auto& entry = in_flight[position % ipc::kSlots];
  Future* task = entry.load(std::memory_order_acquire);
  if (!task || task->position != position || !channel->TakeBack(position)) return nullptr;
  if (entry.exchange(nullptr, std::memory_order_acq_rel) != task) return nullptr;  // a liar answered it
  held--;
  held_bytes -= task->size;
  if (quota != WorkerOptions::kUnlimited && !IsForOneWorker(*task)) quota++;
  task->place = -1;
  task->worker_pid = 0;
  task->worker_number = 0;
  if (task->input == Input::kChannel && payload == Payload::kKeep) {
    ByteView bytes(channel->PayloadAt(position), task->size);
    if (!StoreBytes(task, bytes)) {
      task->input = Input::kLost;
      task->size = bytes.size();
    }
  }
  return task;
}

bool WorkerSlot::PumpBlocks() {
  platform::Message message;
  for (int i = 0; i < kMostMessages; i++) {
    switch (platform::ReceiveMessage(socket.get(), false, &message)) {
      case platform::Receive::kNothing:
      case platform::Receive::kEnd:
        return true;
      case platform::Receive::kMessage:
        break;
    }
    heard.store(true, std::memory_order_relaxed);
    auto head = ipc::HeadOf(message);
    if (head && LastCall::IsPart(*head)) {
      if (!last_call.Take(*head, ipc::BodyOf(message))) return false;
      continue;
    }
    if (!head || (head->type != static_cast<uint32_t>(ipc::MessageType::kBlock) &&
                  head->type != static_cast<uint32_t>(ipc::MessageType::kDropBlock))) {
      return false;
    }
    Status taken = blocks.Take(*head, &message);
    if (taken.ok()) continue;
    if (!blocks.Lost(head->number)) return false;
    channel->TellLost();
  }
  return false;  // no honest worker has so much to say
}

bool WorkerSlot::Hear() {
  std::lock_guard lock(socket_mutex);
  return PumpBlocks();
}

const std::byte* WorkerSlot::FindBlock(uint32_t block, uint64_t offset, uint64_t size) {
  std::lock_guard lock(socket_mutex);
  if (!blocks.Knows(block)) PumpBlocks();
  return blocks.Find(block, offset, size);
}

std::unique_ptr<Holder> WorkerSlot::TakeLoan(uint32_t block) {
  std::lock_guard lock(socket_mutex);
  auto memory = blocks.Hold(block);
  return memory ? lender->Take(block, std::move(memory)) : nullptr;
}

bool WorkerSlot::LostBlock(uint32_t block) {
  std::lock_guard lock(socket_mutex);
  return blocks.Lost(block);
}

void WorkerSlot::Clear() {
  if (lender) lender->Close();
  lender.reset();
  if (channel) channel->SetOrder(ipc::kFinish);  // to a thread that was let go
  channel.reset();
  {
    std::lock_guard lock(socket_mutex);
    socket.Reset();
    blocks = ipc::BlockReader(true);
    last_call.Clear();
  }
  link.reset();
  if (output) output->Close();
  output.reset();
  pid = 0;
  child = 0;
  number = 0;
  state = WorkerState::kNone;
  serving = false;
  distrusted = false;
  known_blocks.Clear();
  watched.clear();
  doomed.reset();
  tail = passed = announced = 0;
  logged.reset();
  held = 0;
  held_bytes = 0;
  task_ns = 0;
  stuck = false;
  unheard = heard = false;
  progress = 0;
  listed_idle = false;
  tasks_done = 0;
  own_positions.clear();
  seat = Seat::kNone;
  quota = WorkerOptions::kUnlimited;
  nears_end = large = asked_to_leave = false;
  end_by = INT64_MAX;
  busy_ns = 0;
  asked_at = ready_at = initializer_ns = 0;
  cpu = -1;
}

}  // namespace mproc::pool
