// SPDX-License-Identifier: MIT
// Conditions: wait, with a lock released, until somebody who holds that lock notifies.
#pragma once

#include "sync/lock.hh"

namespace mproc::sync {

enum class Waited { kNotified, kTimedOut, kInterrupted, kNotHolder, kTooMany, kOwnerDied };

// Any thread of any process that has it.
class Condition final : public object::SharedObject {
 public:
  static constexpr object::Kind kKind = object::Kind::kCondition;
  static constexpr uint32_t kMostWaiting = 1000;

  // With a recursive lock of its own, or with one that is there already.
  static Result<std::shared_ptr<Condition>> Create(std::shared_ptr<Lock> lock);
  // `lock`: as at its creation.
  static Result<std::shared_ptr<Condition>> Adopt(platform::UniqueFd fd, std::shared_ptr<Lock> lock);

  std::vector<int> Descriptors() const override;
  LockMemory& lock() const { return lock_ ? lock_->memory() : memory_->own_lock; }
  LockOptions lock_options() const { return lock_ ? lock_->options() : LockOptions{true, false}; }
  // The one that was given; null for a lock of its own.
  const std::shared_ptr<Lock>& given_lock() const { return lock_; }

  // The caller holds the lock, before and after. kOwnerDied: notified or not, the lock was taken from one who
  // died.
  Waited WaitForNotify(const Deadline& deadline);
  // Lets at most `count` go, those that have waited longest. False if the caller does not hold the lock.
  bool Notify(uint32_t count);

 private:
  struct Slot {
    std::atomic<uint32_t> state;
    std::atomic<uint32_t> tid, start;  // of the thread that waits
    std::atomic<uint32_t> ticket;      // who waits longer has a lower one; they wrap
  };
  struct Memory {
    LockMemory own_lock;
    std::atomic<uint32_t> used;  // no slot at or behind this one was ever used; under the lock
    std::atomic<uint32_t> next_ticket;
    Slot slots[kMostWaiting];
  };

  Condition(platform::SharedMemory memory, std::shared_ptr<Lock> lock);
  Slot* TakeSlot();
  bool FreeDead();
  // The one that has waited longest; null if none waits.
  Slot* Oldest(uint32_t now);
  // False if nobody waits there any more.
  bool NotifySlot(Slot* slot);
  uint32_t used() const;

  Memory* const memory_;
  const std::shared_ptr<Lock> lock_;
};

}  // namespace mproc::sync
