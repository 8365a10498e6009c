// SPDX-License-Identifier: MIT
//
// One word has it all, so that each change is one step: how many have come, whether the last of them is at
// the action, whether the barrier is broken, the number of the round, and how the last rounds ended. A waiter
// knows the round in which it came; when the number has changed it reads there how that round ended, however
// late it wakes. The bell is only for sleeping: it is rung after the change, and a ring lost to a kill costs
// a slice.
//
// With an action, the last to come first writes its thread into `actor`, which it may only if nobody has, or
// one who is no more; then it makes the change to 'acting', runs the action, and completes the round. Those
// who wait look after that thread after each slice: if it has been killed at its action, they break the
// barrier.
#include "sync/barrier.hh"

#include <climits>

#include "base/step.hh"
#include "platform/thread_identity.hh"

namespace mproc::sync {
namespace {

constexpr uint64_t kCame = 0x7fff, kActing = 1 << 15, kBroken = 1 << 16;
constexpr int kEndsShift = 17, kEnds = 23, kRoundShift = 40;
constexpr uint64_t kEndsMask = (uint64_t{1} << kEnds) - 1, kRoundMask = (uint64_t{1} << 24) - 1;

uint64_t RoundOf(uint64_t state) { return state >> kRoundShift; }

// The state in which the next round begins.
uint64_t NextRound(uint64_t state, bool broken) {
  uint64_t ends = (state >> kEndsShift << 1 | (broken ? 1 : 0)) & kEndsMask;
  return ((RoundOf(state) + 1) & kRoundMask) << kRoundShift | ends << kEndsShift;
}

// A thread as it stands in the memory: with its start, so that a later one of its number is another.
uint64_t ActorOf(const platform::ThreadIdentity& thread) { return uint64_t{thread.start} << 32 | thread.tid; }
bool HasActorEnded(uint64_t actor) {
  return platform::ThreadHasEnded(static_cast<uint32_t>(actor), static_cast<uint32_t>(actor >> 32));
}

// A killed actor is looked for after each sleep that no ring has ended, however often signals cut it short.
bool MayHaveMissed(Woke woke) { return woke == Woke::kSliceEnded || woke == Woke::kInterrupted; }

// True if the round of `mine` has ended, with how.
bool HasEnded(uint64_t mine, uint64_t now, Met* met) {
  uint64_t later = (RoundOf(now) - RoundOf(mine)) & kRoundMask;
  if (later == 0) {
    *met = Met::kBroken;
    return now & kBroken;
  }
  bool broke = later <= kEnds && (now >> kEndsShift >> (later - 1) & 1);
  *met = broke ? Met::kBroken : Met::kAll;
  return true;
}

}  // namespace

Barrier::Barrier(platform::SharedMemory memory)
    : SharedObject(object::Kind::kBarrier, std::move(memory)),
      memory_(body<Memory>()),
      parties_(head().options < 1              ? 1
               : head().options > kMostParties ? kMostParties
                                               : head().options) {}

Result<std::shared_ptr<Barrier>> Barrier::Create(uint32_t parties) {
  auto memory = Allocate(object::Kind::kBarrier, sizeof(Memory), parties);
  if (!memory.ok()) return memory.status();
  return std::shared_ptr<Barrier>(new Barrier(std::move(*memory)));
}

Result<std::shared_ptr<Barrier>> Barrier::Adopt(platform::UniqueFd fd) {
  auto memory = Receive(object::Kind::kBarrier, sizeof(Memory), std::move(fd));
  if (!memory.ok()) return memory.status();
  return std::shared_ptr<Barrier>(new Barrier(std::move(*memory)));
}

// From *seen to `state`, waking all if that was so.
bool Barrier::Change(uint64_t* seen, uint64_t state) {
  if (!memory_->state.compare_exchange_strong(*seen, state, std::memory_order_acq_rel,
                                              std::memory_order_acquire)) {
    return false;
  }
  MPROC_STEP();
  memory_->bell.fetch_add(1, std::memory_order_release);
  MPROC_STEP();
  platform::FutexWake(&memory_->bell, INT_MAX, true);
  return true;
}

bool Barrier::BecomeActor() {
  uint64_t actor = 0;
  const uint64_t me = ActorOf(platform::CurrentThread());
  if (memory_->actor.compare_exchange_strong(actor, me, std::memory_order_acquire)) return true;
  if (!HasActorEnded(actor)) return false;
  return memory_->actor.compare_exchange_strong(actor, me, std::memory_order_acquire);
}

void Barrier::LoseDeadActor() {
  uint64_t seen = memory_->state.load(std::memory_order_acquire);
  if (!(seen & kActing)) return;
  uint64_t actor = memory_->actor.load(std::memory_order_relaxed);
  if (!HasActorEnded(actor)) return;
  if (Change(&seen, (seen & ~kActing) | kBroken)) {
    memory_->actor.compare_exchange_strong(actor, 0, std::memory_order_relaxed);
  }
}

Met Barrier::Act(uint64_t acting, const std::function<bool()>& action) {
  bool good = action();
  MPROC_STEP();
  uint64_t seen = acting;
  bool changed = Change(&seen, good ? NextRound(seen, false) : (seen & ~kActing) | kBroken);
  memory_->actor.store(0, std::memory_order_release);
  MPROC_STEP();
  // Those who came while there was an actor sleep until there is none.
  memory_->bell.fetch_add(1, std::memory_order_release);
  platform::FutexWake(&memory_->bell, INT_MAX, true);
  if (!good) return Met::kActionFailed;
  return changed ? Met::kAll : Met::kBroken;
}

Met Barrier::Meet(const Deadline& deadline, const std::function<bool()>& action, uint32_t* index) {
  for (;;) {
    uint32_t bell = memory_->bell.load(std::memory_order_acquire);
    uint64_t seen = memory_->state.load(std::memory_order_acquire);
    if (seen & kBroken) return Met::kBroken;
    uint64_t came = seen & kCame;
    bool last = came + 1 >= parties_;
    if ((seen & kActing) || (last && action && !BecomeActor())) {
      // It belongs to the next round, which has not begun.
      Woke woke = SleepOn(&memory_->bell, bell, deadline);
      if (MayHaveMissed(woke)) LoseDeadActor();
      if (woke != Woke::kTimedOut) continue;
      Abort();
      return Met::kTimedOut;
    }
    *index = static_cast<uint32_t>(came);
    if (last && action) {
      MPROC_STEP();
      uint64_t acting = seen + 1 + kActing;
      if (memory_->state.compare_exchange_strong(seen, acting, std::memory_order_acq_rel)) {
        MPROC_STEP();
        return Act(acting, action);
      }
      memory_->actor.store(0, std::memory_order_release);
      continue;
    }
    if (last) {
      if (Change(&seen, NextRound(seen, false))) return Met::kAll;
      continue;
    }
    if (!memory_->state.compare_exchange_strong(seen, seen + 1, std::memory_order_acq_rel)) continue;
    MPROC_STEP();
    return Await(seen, deadline);
  }
}

Met Barrier::Await(uint64_t mine, const Deadline& deadline) {
  Met met = Met::kBroken;
  for (;;) {
    uint32_t bell = memory_->bell.load(std::memory_order_acquire);
    uint64_t now = memory_->state.load(std::memory_order_acquire);
    if (HasEnded(mine, now, &met)) return met;
    Woke woke = SleepOn(&memory_->bell, bell, deadline);
    if (MayHaveMissed(woke)) LoseDeadActor();
    if (woke != Woke::kTimedOut) continue;
    for (now = memory_->state.load(std::memory_order_acquire);;) {
      if (HasEnded(mine, now, &met)) return met;
      if (Change(&now, (now & ~kActing) | kBroken)) return Met::kTimedOut;
    }
  }
}

void Barrier::Abort() {
  uint64_t seen = memory_->state.load(std::memory_order_acquire);
  while (!(seen & kBroken) && !Change(&seen, (seen & ~kActing) | kBroken)) {
  }
}

void Barrier::Reset() {
  uint64_t seen = memory_->state.load(std::memory_order_acquire);
  while (!Change(&seen, NextRound(seen, true))) {
  }
}

bool Barrier::IsBroken() const { return memory_->state.load(std::memory_order_acquire) & kBroken; }

uint32_t Barrier::CountWaiting() const {
  uint64_t state = memory_->state.load(std::memory_order_acquire);
  return state & kBroken ? 0 : static_cast<uint32_t>(state & kCame);
}

}  // namespace mproc::sync
