// SPDX-License-Identifier: MIT
//
// Each who waits has a slot, with a word of its own to sleep on. Slots are taken, and notified, by whoever
// holds the lock, so no two do that at once. Only giving up needs no lock: one step takes a slot from 'waits'
// to 'free', or fails because it has been notified meanwhile. So a notification goes to one who waits now, or
// to nobody.
//
// A process may be killed while it waits. Its slot still says 'waits', and notify would waste itself on it:
// but nobody sleeps there, which is seen by the wake-up that wakes nobody; then notify looks after that
// thread, and goes on with the next if it is no more. One that has not fallen asleep yet looks the same to
// the wake-up, but is there. Nobody waits for those who were notified to say so, so nobody hangs when one of
// them is killed.
#include "sync/condition.hh"

#include <algorithm>

#include "base/step.hh"
#include "platform/thread_identity.hh"

namespace mproc::sync {
namespace {

constexpr uint32_t kFree = 0, kWaits = 1, kNotified = 2;

}  // namespace

Condition::Condition(platform::SharedMemory memory, std::shared_ptr<Lock> lock)
    : SharedObject(object::Kind::kCondition, std::move(memory)),
      memory_(body<Memory>()),
      lock_(std::move(lock)) {}

Result<std::shared_ptr<Condition>> Condition::Create(std::shared_ptr<Lock> lock) {
  auto memory = Allocate(object::Kind::kCondition, sizeof(Memory), lock ? 1 : 0);
  if (!memory.ok()) return memory.status();
  return std::shared_ptr<Condition>(new Condition(std::move(*memory), std::move(lock)));
}

Result<std::shared_ptr<Condition>> Condition::Adopt(platform::UniqueFd fd, std::shared_ptr<Lock> lock) {
  auto memory = Receive(object::Kind::kCondition, sizeof(Memory), std::move(fd));
  if (!memory.ok()) return memory.status();
  std::shared_ptr<Condition> made(new Condition(std::move(*memory), std::move(lock)));
  if ((made->head().options != 0) != (made->lock_ != nullptr)) {
    return Status(MPROC_ERROR_PROTOCOL,
                  "the condition came without its lock, or with one that is not its own");
  }
  return made;
}

std::vector<int> Condition::Descriptors() const {
  std::vector<int> fds{fd()};
  if (lock_) fds.push_back(lock_->fd());
  return fds;
}

uint32_t Condition::used() const {
  return std::min(memory_->used.load(std::memory_order_relaxed), kMostWaiting);
}

Condition::Slot* Condition::TakeSlot() {
  uint32_t used = this->used(), at = 0;
  while (at < used && memory_->slots[at].state.load(std::memory_order_acquire) != kFree) at++;
  if (at == kMostWaiting) return nullptr;
  if (at == used) memory_->used.store(used + 1, std::memory_order_relaxed);
  MPROC_STEP();
  const platform::ThreadIdentity& me = platform::CurrentThread();
  Slot& slot = memory_->slots[at];
  slot.tid.store(me.tid, std::memory_order_relaxed);
  slot.start.store(me.start, std::memory_order_relaxed);
  slot.ticket.store(memory_->next_ticket.fetch_add(1, std::memory_order_relaxed), std::memory_order_relaxed);
  MPROC_STEP();
  slot.state.store(kWaits, std::memory_order_release);
  MPROC_STEP();
  return &slot;
}

bool Condition::FreeDead() {
  bool freed = false;
  for (uint32_t i = 0; i < used(); i++) {
    Slot& slot = memory_->slots[i];
    uint32_t state = slot.state.load(std::memory_order_acquire);
    if (state == kFree) continue;
    if (!platform::ThreadHasEnded(slot.tid.load(std::memory_order_relaxed),
                                  slot.start.load(std::memory_order_relaxed))) {
      continue;
    }
    freed |= slot.state.compare_exchange_strong(state, kFree, std::memory_order_relaxed);
  }
  return freed;
}

Waited Condition::WaitForNotify(const Deadline& deadline) {
  const LockOptions options = lock_options();
  if (!lock().IsMine(options)) return Waited::kNotHolder;
  Slot* slot = TakeSlot();
  if (!slot && FreeDead()) slot = TakeSlot();
  if (!slot) return Waited::kTooMany;
  uint32_t levels = 0;
  lock().ReleaseAll(options, &levels);
  Waited waited = Waited::kNotified;
  while (slot->state.load(std::memory_order_acquire) == kWaits) {
    MPROC_STEP();
    Woke woke = SleepOn(&slot->state, kWaits, deadline);
    if (woke != Woke::kTimedOut && woke != Woke::kInterrupted) continue;
    uint32_t waits = kWaits;
    if (slot->state.compare_exchange_strong(waits, kFree, std::memory_order_relaxed)) {
      waited = woke == Woke::kTimedOut ? Waited::kTimedOut : Waited::kInterrupted;
    }
    break;
  }
  MPROC_STEP();
  if (waited == Waited::kNotified) slot->state.store(kFree, std::memory_order_release);
  MPROC_STEP();
  return lock().AcquireAll(options, levels) == Acquired::kOwnerDied ? Waited::kOwnerDied : waited;
}

bool Condition::NotifySlot(Slot* slot) {
  const uint32_t tid = slot->tid.load(std::memory_order_relaxed);
  const uint32_t start = slot->start.load(std::memory_order_relaxed);
  uint32_t state = kWaits;
  if (!slot->state.compare_exchange_strong(state, kNotified, std::memory_order_release,
                                           std::memory_order_relaxed)) {
    return false;  // it has just given up
  }
  MPROC_STEP();
  if (platform::FutexWake(&slot->state, 1, true) > 0 || !platform::ThreadHasEnded(tid, start)) return true;
  state = kNotified;
  slot->state.compare_exchange_strong(state, kFree, std::memory_order_relaxed);
  return false;
}

Condition::Slot* Condition::Oldest(uint32_t now) {
  Slot* oldest = nullptr;
  uint32_t age = 0;
  for (uint32_t i = 0; i < used(); i++) {
    Slot& slot = memory_->slots[i];
    if (slot.state.load(std::memory_order_relaxed) != kWaits) continue;
    uint32_t its = now - slot.ticket.load(std::memory_order_relaxed);
    if (oldest && its <= age) continue;
    oldest = &slot;
    age = its;
  }
  return oldest;
}

bool Condition::Notify(uint32_t count) {
  if (!lock().IsMine(lock_options())) return false;
  if (count >= kMostWaiting) {  // all: in any order
    for (uint32_t i = 0; i < used(); i++) NotifySlot(&memory_->slots[i]);
    return true;
  }
  const uint32_t now = memory_->next_ticket.load(std::memory_order_relaxed);
  while (count > 0) {
    Slot* oldest = Oldest(now);
    if (!oldest) break;
    if (NotifySlot(oldest)) count--;
  }
  return true;
}

}  // namespace mproc::sync
