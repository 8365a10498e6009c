// SPDX-License-Identifier: MIT
// One channel: the host's end and the worker's end of two rings and their bells. Moves bytes between exactly
// two processes and has no idea what they mean. The protocol is in layout.hh.
#pragma once

#include <algorithm>
#include <array>
#include <memory>

#include "ipc/blocks.hh"
#include "ipc/layout.hh"

namespace mproc::ipc {

// What travels with a payload.
struct TaskFrame {
  uint64_t task_id = 0;
  uint32_t function = 0;
  uint32_t kind = 0;
  uint32_t index = 0;      // of the item, if the task is one item of a map
  int64_t limit = 0;       // nanoseconds from its start until it should stop; 0: none
  bool announced = false;  // the host is rung when it begins
};

struct ResultFrame {
  uint64_t task = 0;  // position of the task
  uint64_t size = 0;
  uint64_t offset = 0;
  uint32_t block = 0;  // 0: `data` holds the bytes
  uint32_t status = 0;
  uint64_t elapsed = 0;             // nanoseconds
  bool lent = false;                // the block is to be given back
  const std::byte* data = nullptr;  // in the slot, until ConsumeResult
};

inline FlightView FlightOf(ChannelMemory* memory) { return {&memory->flight, memory->runs, memory->notes}; }

// The host's end. What it believes about positions is its own record; the shared memory is read as the
// output of a stranger. Two callers at most at a time: one that publishes (Fill, Publish, TakeBack, room:
// guarded by the pool's mutex) and one that drains (Peek, Consume, Arm: guarded by the pool's drain lock).
class HostChannel {
 public:
  static Result<HostChannel> Create(uint32_t polling);

  int memory_fd() const { return memory_->fd(); }  // -1 once given away
  platform::UniqueFd GiveMemoryFd() { return memory_->GiveFd(); }
  // Where it is mapped here, for a worker in this process.
  const std::shared_ptr<platform::SharedMemory>& memory() const { return memory_; }

  // -- publishing side
  uint64_t head() const { return head_; }
  // Places for tasks, given that the worker has passed every position below `tail`.
  uint32_t Room(uint64_t tail) const { return kSlots - static_cast<uint32_t>(head_ - tail); }
  // Writes the next task into its slot; the payload, given in pieces, is copied there or into a block. Needs
  // room. Returns the position. QUEUE_FULL and OUT_OF_MEMORY leave everything as it was.
  Result<uint64_t> Fill(int socket, const TaskFrame& frame, std::span<const ByteView> payload);
  // The same for a payload in memory that was shared before.
  uint64_t FillShared(const TaskFrame& frame, uint32_t block, uint64_t offset, uint64_t size);
  // Shares memory of somebody else's; the number is good as long as `HasShared` says so.
  Result<uint32_t> Share(int socket, int fd, size_t size, ByteView note, std::span<const int> objects) {
    return blocks_.Share(socket, fd, size, note, objects);
  }
  void Unshare(int socket, uint32_t block) { blocks_.Unshare(socket, block); }
  bool HasShared(int socket, uint32_t block);
  // The payload of a position that is not released, if it lies in a block: memory that the worker only reads.
  const std::byte* PayloadAt(uint64_t position) const { return blocks_.Find(position); }
  // Publishes what Fill wrote: the answer may come at once.
  void Publish();
  // Frees the blocks of positions below `tail`.
  void ReleaseBelow(int socket, uint64_t tail) {
    if (blocks_used_) blocks_.Release(socket, tail);
  }
  void Trim(int socket) { blocks_.Trim(socket); }
  // Says which blocks were dropped; false if the socket has no room for all of them.
  bool TellDropped(int socket) { return blocks_.TellDropped(socket); }
  // Takes a published task back; false if the worker has claimed it.
  bool TakeBack(uint64_t position);
  // True if the worker has neither claimed nor passed the position.
  bool IsQueued(uint64_t position) const;
  // Wakes the worker if it sleeps.
  void WakeWorker();
  void SetOrder(Order order);
  // Tells the task at `position` to stop, if it runs; or kEveryTask.
  void CancelTask(uint64_t position) { shared()->cancelled.store(position + 1, std::memory_order_relaxed); }
  void CancelEveryTask() { shared()->cancelled.store(kEveryTask, std::memory_order_relaxed); }
  void SetMayPoll(bool on) { shared()->may_poll.store(on ? 1 : 0, std::memory_order_relaxed); }

  // -- draining side
  // The next result if there is one. The frame's fields are copies; check them.
  bool PeekResult(ResultFrame* frame) const;
  bool HasResult() const;
  void ConsumeResult() { result_position_++; }
  // Tells the worker that a block of its was lost here.
  void TellLost() { shared()->host_lost.fetch_add(1, std::memory_order_release); }
  // Gives a block of the worker's back. One caller at a time, as the pool's BlockLender sees to; never for
  // more blocks than kReturns at a time.
  void ReturnBlock(uint32_t block);
  // Tells the worker that what was consumed may be reused.
  void PublishConsumed() { shared()->consumed.store(result_position_, std::memory_order_release); }
  void Arm(HostBell bell) { shared()->host_bell.store(bell, std::memory_order_seq_cst); }
  uint32_t ArmedBell() const { return shared()->host_bell.load(std::memory_order_relaxed); }
  // Positions that the worker says it has passed, unchecked.
  uint64_t ClaimedPassed() const { return shared()->passed.load(std::memory_order_seq_cst); }
  // Position + 1 of the task that it says it has begun last of those to be announced; 0: none.
  uint64_t Announced() const { return shared()->announced.load(std::memory_order_seq_cst); }
  // Whether it says that it begins nothing more.
  bool AsksToLeave() const { return shared()->leaves.load(std::memory_order_relaxed) != 0; }
  // Nanoseconds that it says its initializer took, `most` if it says more.
  int64_t InitializerTime(int64_t most) const {
    return std::clamp<int64_t>(shared()->initializer_time.load(std::memory_order_relaxed), 0, most);
  }
  LogReader& log() { return log_; }
  uint32_t worker_cpu() const { return shared()->worker_cpu.load(std::memory_order_relaxed); }
  void PublishCpu(uint32_t cpu) { shared()->host_cpu.store(cpu, std::memory_order_relaxed); }

  // -- any thread
  // What the worker says of itself; unchecked.
  FlightReader flight() const { return FlightReader(FlightOf(shared())); }
  const std::byte* trace() const { return shared()->trace; }

 private:
  ChannelMemory* shared() const { return shared_; }
  void Describe(TaskSlot* slot, const TaskFrame& frame);

  std::shared_ptr<platform::SharedMemory> memory_;
  ChannelMemory* shared_ = nullptr;  // there
  uint64_t head_ = 0;                // publishing side
  BlockWriter blocks_{"mproc-tasks", false};
  bool blocks_used_ = false;
  uint64_t result_position_ = 0;  // draining side
  LogReader log_;                 // draining side
  uint64_t returned_ = 0;         // returning side
};

struct TaskView {
  TaskFrame frame;
  uint64_t position = 0;
  uint64_t size = 0;
  uint64_t offset = 0;
  uint32_t block = 0;
  const std::byte* data = nullptr;  // in the slot
};

// The worker's end. The worker's thread only.
class WorkerChannel {
 public:
  // Maps the memory of a channel and checks that both sides mean the same layout.
  static Result<WorkerChannel> Attach(platform::UniqueFd memory, platform::UniqueFd leader_bell,
                                      platform::UniqueFd engine_bell);
  // The same for memory that is mapped, by the host in this process.
  static Result<WorkerChannel> Attach(std::shared_ptr<platform::SharedMemory> memory,
                                      platform::UniqueFd leader_bell, platform::UniqueFd engine_bell);

  // Claims the next task, skipping those that were taken back. False if there is none.
  bool Claim(TaskView* view);
  bool HasTask() const;

  // Where a value of at most kInlineBytes may be written at once, if nothing was reserved for the task.
  std::byte* SlotRoom() const { return result().data; }
  // What the host does with a value: lends it to the future, so that a large one needs a block of its own; or
  // copies it out when it sees it.
  enum class Fate { kLent, kCopied };
  // Memory for the value of the claimed task: in the result slot if it fits.
  Result<std::byte*> Reserve(int socket, size_t size, Fate fate);
  // Says that the value lies in the task's own block, at an offset there; nothing is reserved then.
  void PlaceElsewhere(int socket, uint64_t offset);
  FlightWriter flight() const { return FlightWriter(FlightOf(shared())); }
  LogWriter log() const { return LogWriter(&shared()->log); }
  // Publishes the reserved bytes (`size` of them) as the result of `position`.
  void Publish(uint64_t position, uint32_t status, size_t size, uint64_t elapsed);
  // Tells the host that a block of its was lost here.
  void TellLost() { shared()->worker_lost.fetch_add(1, std::memory_order_release); }

  // Rings the host if it sleeps, wants to know, and something was published: `dry` if no further task is at
  // hand.
  void RingHost(bool dry);

  // Tells the host how long the initializer took. Before the hello.
  void TellInitializerTime(int64_t nanoseconds) {
    shared()->initializer_time.store(nanoseconds, std::memory_order_relaxed);
  }

  // Tells the host that the task has begun, and rings it.
  void Announce(uint64_t position) {
    shared()->announced.store(position + 1, std::memory_order_seq_cst);
    RingHostNow();
  }

  // Rings it now, for what is not a result.
  void RingHostNow() { unrung_ = true, RingHost(true); }

  // Sleeps until a task may be there, at most `nanoseconds`. Looks once more by itself.
  void Sleep(int64_t nanoseconds);

  // Tells the host that this worker claims no further task. It then sleeps until it is ordered to finish.
  void AskToLeave();
  void SleepForOrder(int64_t nanoseconds);

  Order order() const { return static_cast<Order>(shared()->order.load(std::memory_order_seq_cst)); }
  bool cancelled(uint64_t position) const {
    uint64_t which = shared()->cancelled.load(std::memory_order_relaxed);
    return which && (which == position + 1 || which == kEveryTask);
  }
  bool may_poll() const { return shared()->may_poll.load(std::memory_order_relaxed) != 0; }
  uint32_t polling() const { return shared()->polling.load(std::memory_order_relaxed); }
  uint32_t host_cpu() const { return shared()->host_cpu.load(std::memory_order_relaxed); }
  void PublishCpu(uint32_t cpu) { shared()->worker_cpu.store(cpu, std::memory_order_relaxed); }
  void Trim(int socket) { Recycle(socket), blocks_.Trim(socket); }
  std::byte* trace() const { return shared()->trace; }
  std::array<int, 2> bells() const { return {leader_bell_.get(), engine_bell_.get()}; }

 private:
  ChannelMemory* shared() const { return shared_; }
  ResultSlot& result() const { return shared()->results[result_position_ % kSlots]; }
  // Forgets what was reserved.
  void Unreserve(int socket);
  // Takes back what the host is done with.
  void Recycle(int socket);

  std::shared_ptr<platform::SharedMemory> memory_;
  ChannelMemory* shared_ = nullptr;  // there
  platform::UniqueFd leader_bell_, engine_bell_;
  BlockWriter blocks_{"mproc-results", true};
  uint64_t task_position_ = 0;
  uint64_t result_position_ = 0;
  uint64_t returned_ = 0;  // blocks taken back
  Placement reserved_;     // of the value being made
  bool in_block_ = false;
  bool to_lend_ = false;    // it, once published
  uint64_t elsewhere_ = 0;  // offset of a value that nothing is reserved for
  bool unrung_ = false;     // something was published and the host's bell not looked at since
};

}  // namespace mproc::ipc
