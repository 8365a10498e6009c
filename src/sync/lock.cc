// SPDX-License-Identifier: MIT
//
// One word is the lock: 0, or the number of the thread that has it, with a bit that says that somebody may be
// asleep. It is taken and given up by one atomic step each, so there is no moment at which a kill could leave
// it neither free nor somebody's. What else is known of the holder is written after taking, for others to
// read: they believe it only if it names the thread that the word names.
//
// Giving up clears the word, and with it the bit, and wakes one. Who has slept takes the lock with the bit
// set, since others may sleep still. (Should the woken one be killed, they look by themselves:
// sync/sleep.hh.)
//
// A robust lock: who finds it held looks after the holder, at once and after each slice of sleep. If that
// thread is no more, one of those who wait puts its own number in the place of the dead one's, by one step
// again. No list of the kernel's is used (pthread_mutex_t keeps one, with pointers into this very memory,
// through which a corrupted peer could make this process write anywhere, and which dangle if the memory is
// unmapped).
#include "sync/lock.hh"

#include "base/step.hh"
#include "platform/coarse_clock.hh"
#include "platform/cpu.hh"

namespace mproc::sync {
namespace {

constexpr uint32_t kSleepers = 0x80000000;
constexpr uint32_t kThread = 0x7fffffff;
constexpr uint32_t kMostLevels = 0x7ffffffe;
constexpr uint32_t kRecursive = 1, kRobust = 2;
constexpr int kFirstRest = 8, kLastRest = 256;  // of some ten nanoseconds each

}  // namespace

uint32_t BitsOf(LockOptions options) {
  return (options.recursive ? kRecursive : 0) | (options.robust ? kRobust : 0);
}

LockOptions LockOptionsOf(uint32_t bits) { return {(bits & kRecursive) != 0, (bits & kRobust) != 0}; }

bool LockMemory::TryTake(const ThreadIdentity& me) {
  uint32_t free = 0;
  if (!word_.compare_exchange_strong(free, me.tid, std::memory_order_acquire, std::memory_order_relaxed))
    return false;
  NoteHolder(me);
  return true;
}

void LockMemory::NoteHolder(const ThreadIdentity& me) {
  MPROC_STEP();
  levels_.store(0, std::memory_order_relaxed);
  pid_.store(me.pid, std::memory_order_relaxed);
  start_.store(me.start, std::memory_order_relaxed);
  since_.store(platform::CoarseNowNs(), std::memory_order_relaxed);
  MPROC_STEP();
  tid_.store(me.tid, std::memory_order_release);
  MPROC_STEP();
}

bool LockMemory::TakeFromDead(uint32_t seen, const ThreadIdentity& me) {
  uint32_t holder = seen & kThread;
  bool noted = tid_.load(std::memory_order_acquire) == holder;
  if (!platform::ThreadHasEnded(holder, noted ? start_.load(std::memory_order_relaxed) : 0)) return false;
  MPROC_STEP();
  if (!word_.compare_exchange_strong(seen, me.tid | kSleepers, std::memory_order_acquire,
                                     std::memory_order_relaxed)) {
    return false;
  }
  NoteHolder(me);
  return true;
}

// Who finds it held is back in a moment more often than not, and to look all the time would hold up the
// holder, whose memory it is: so each look comes after a longer rest than the last.
bool LockMemory::TakeAfterRest(const ThreadIdentity& me) {
  for (int rest = kFirstRest; rest <= kLastRest && platform::SeveralCpus(); rest *= 2) {
    for (int i = 0; i < rest; i++) platform::CpuRelax();
    if (LooksFree() && TryTake(me)) return true;
  }
  return false;
}

Acquired LockMemory::TakeSlowly(LockOptions options, const ThreadIdentity& me, const Deadline& deadline) {
  if (!deadline.immediate() && TakeAfterRest(me)) return Acquired::kYes;
  bool look = options.robust;  // after the holder
  uint32_t others = 0;         // kSleepers once this one has slept
  for (;;) {
    uint32_t seen = word_.load(std::memory_order_relaxed);
    if ((seen & kThread) == 0) {
      if (!word_.compare_exchange_weak(seen, me.tid | others | (seen & kSleepers), std::memory_order_acquire,
                                       std::memory_order_relaxed)) {
        continue;
      }
      NoteHolder(me);
      return Acquired::kYes;
    }
    if (look && TakeFromDead(seen, me)) return Acquired::kOwnerDied;
    look = false;
    if (deadline.immediate()) return Acquired::kTimedOut;
    if (!(seen & kSleepers) && !word_.compare_exchange_weak(seen, seen | kSleepers, std::memory_order_relaxed,
                                                            std::memory_order_relaxed)) {
      continue;
    }
    MPROC_STEP();
    Woke woke = SleepOn(&word_, seen | kSleepers, deadline);
    others = kSleepers;
    if (woke == Woke::kInterrupted) return Acquired::kInterrupted;
    if (woke == Woke::kTimedOut) {
      seen = word_.load(std::memory_order_relaxed);
      if (options.robust && (seen & kThread) && TakeFromDead(seen, me)) return Acquired::kOwnerDied;
      return TryTake(me) ? Acquired::kYes : Acquired::kTimedOut;
    }
    look = options.robust && woke == Woke::kSliceEnded;
  }
}

bool LockMemory::TryAcquire() { return TryTake(platform::CurrentThread()); }

bool LockMemory::LooksFree() const { return (word_.load(std::memory_order_relaxed) & kThread) == 0; }

Acquired LockMemory::Acquire(LockOptions options, const Deadline& deadline) {
  const ThreadIdentity& me = platform::CurrentThread();
  if (TryTake(me)) return Acquired::kYes;
  if (options.recursive && IsHeldBy(me)) {
    uint32_t levels = levels_.load(std::memory_order_relaxed);
    if (levels >= kMostLevels) return Acquired::kTooDeep;
    levels_.store(levels + 1, std::memory_order_relaxed);
    return Acquired::kYes;
  }
  return TakeSlowly(options, me, deadline);
}

Released LockMemory::Free() {
  tid_.store(0, std::memory_order_relaxed);
  MPROC_STEP();
  uint32_t seen = word_.exchange(0, std::memory_order_release);
  MPROC_STEP();
  if (seen & kSleepers) platform::FutexWake(&word_, 1, true);
  return seen & kThread ? Released::kYes : Released::kWasFree;
}

// A dead holder may have had this thread's number.
bool LockMemory::IsHeldBy(const ThreadIdentity& me) const {
  if ((word_.load(std::memory_order_relaxed) & kThread) != me.tid) return false;
  return tid_.load(std::memory_order_acquire) != me.tid || start_.load(std::memory_order_relaxed) == me.start;
}

bool LockMemory::IsMine(LockOptions options) const {
  if (options.recursive || options.robust) return IsHeldBy(platform::CurrentThread());
  return !LooksFree();
}

Released LockMemory::Release(LockOptions options) {
  uint32_t seen = word_.load(std::memory_order_relaxed);
  if ((seen & kThread) == 0) return Released::kWasFree;
  if (!IsMine(options)) return Released::kNotHolder;
  if (options.recursive) {
    if (uint32_t levels = levels_.load(std::memory_order_relaxed)) {
      levels_.store(levels - 1, std::memory_order_relaxed);
      return Released::kYes;
    }
  }
  return Free();
}

Released LockMemory::ReleaseAll(LockOptions options, uint32_t* levels) {
  *levels = options.recursive ? levels_.load(std::memory_order_relaxed) : 0;
  if (options.recursive && IsMine(options)) levels_.store(0, std::memory_order_relaxed);
  return Release(options);
}

Acquired LockMemory::AcquireAll(LockOptions options, uint32_t levels) {
  for (;;) {
    Acquired acquired = Acquire(options, Deadline::After(INT64_MAX));
    if (acquired == Acquired::kInterrupted) continue;
    if (options.recursive) levels_.store(levels, std::memory_order_relaxed);
    return acquired;
  }
}

Holder LockMemory::GetHolder() const {
  uint32_t tid = word_.load(std::memory_order_acquire) & kThread;
  if (tid == 0) return {};
  // What is read is this holder's only if it was so before and after.
  if (tid_.load(std::memory_order_acquire) == tid) {
    Holder holder{pid_.load(std::memory_order_acquire), tid, since_.load(std::memory_order_acquire)};
    if (tid_.load(std::memory_order_relaxed) == tid) return holder;
  }
  return {0, tid, 0};
}

Lock::Lock(platform::SharedMemory memory)
    : SharedObject(object::Kind::kLock, std::move(memory)), options_(LockOptionsOf(head().options)) {}

Result<std::shared_ptr<Lock>> Lock::Create(LockOptions options) {
  auto memory = Allocate(object::Kind::kLock, sizeof(LockMemory), BitsOf(options));
  if (!memory.ok()) return memory.status();
  return std::shared_ptr<Lock>(new Lock(std::move(*memory)));
}

Result<std::shared_ptr<Lock>> Lock::Adopt(platform::UniqueFd fd) {
  auto memory = Receive(object::Kind::kLock, sizeof(LockMemory), std::move(fd));
  if (!memory.ok()) return memory.status();
  return std::shared_ptr<Lock>(new Lock(std::move(*memory)));
}

}  // namespace mproc::sync
