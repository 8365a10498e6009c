// SPDX-License-Identifier: MIT
// Memory that the host shares with whichever worker gets it as the payload of a task: written where it lies,
// answered where it lies, copied by nobody. Each worker is sent a block once. One task at a time has it; the
// memory lives as long as somebody can see it, whatever was destroyed. The bytes of a bound function are such
// memory, too, which workers only read, for any number of tasks.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "ipc/message.hh"
#include "object/object.hh"
#include "platform/fork_guard.hh"
#include "platform/shared_memory.hh"
#include "pool/held_bytes.hh"

namespace mproc::pool {

class EngineSide;

// Thread-safe.
class SharedBlock {
 public:
  static Result<std::shared_ptr<SharedBlock>> Create(size_t size);
  // For a bound function: with a copy of these bytes, or with the memory of a block. Not mapped here. At most
  // object::kMostPassed objects.
  static Result<std::shared_ptr<SharedBlock>> CreateBound(ByteView bytes, const ipc::BoundNote& note,
                                                          std::vector<object::PassedObject> objects);
  static Result<std::shared_ptr<SharedBlock>> CreateBound(const SharedBlock& block,
                                                          const ipc::BoundNote& note);
  ~SharedBlock();
  SharedBlock(const SharedBlock&) = delete;
  SharedBlock& operator=(const SharedBlock&) = delete;

  std::byte* data() const { return memory_.data(); }
  size_t size() const { return size_; }  // as asked for
  int fd() const { return fd_.get(); }
  // Of a bound function, else null.
  const ipc::BoundNote* note() const { return note_ ? &*note_ : nullptr; }
  // What a worker is told and given with it; nothing if it is not of a bound function.
  ByteView told() const { return told_; }
  std::span<const int> object_fds() const { return object_fds_; }
  // False if a task has it already.
  bool Begin() { return !in_use_.exchange(true); }
  void End() { in_use_.store(false); }
  // Workers of this pool have been sent it: the pool ticks at its end, and lets them forget it.
  void KnownTo(const std::shared_ptr<EngineSide>& pool);

 private:
  SharedBlock() = default;
  void SetNote(const ipc::BoundNote& note, std::vector<object::PassedObject> objects);

  platform::SharedMemory memory_;
  size_t size_ = 0;
  platform::GuardedFd fd_;
  std::optional<ipc::BoundNote> note_;
  std::vector<object::PassedObject> objects_;
  std::vector<std::byte> told_;  // the notes of all these
  std::vector<int> object_fds_;
  std::atomic<bool> in_use_{false};
  std::mutex mutex_;
  std::vector<std::weak_ptr<EngineSide>> known_to_;  // mutex_
};

// The hold of a task on the block that is its payload, and perhaps its value.
class BlockUse : public Holder {
 public:
  // Needs Begin.
  explicit BlockUse(std::shared_ptr<SharedBlock> block) : block_(std::move(block)) {}
  ~BlockUse() override { TaskEnded(); }
  void TaskEnded() override {
    if (!ended_) block_->End();
    ended_ = true;
  }
  ByteView Whole() const override { return {block_->data(), block_->size()}; }
  const std::shared_ptr<SharedBlock>& block() const { return block_; }

 private:
  std::shared_ptr<SharedBlock> block_;
  bool ended_ = false;
};

}  // namespace mproc::pool
