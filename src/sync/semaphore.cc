// SPDX-License-Identifier: MIT
//
// One word: the value, and a bit that says that somebody may be asleep on it. Whoever gives and sees the bit
// wakes as many as were given; if nobody was asleep, it takes the bit away. Somebody may fall asleep between
// that look and that step, but only on a value of 0, and the step is made only if the word is the one that
// was left, which is not 0. One who has slept sets the bit again with what it takes: others may sleep still.
// It also wakes the next one if there is more to take, since of several that were woken one may have been
// killed.
#include "sync/semaphore.hh"

#include "base/step.hh"

namespace mproc::sync {
namespace {

constexpr uint32_t kSleepers = 0x80000000;
constexpr uint32_t kValue = 0x7fffffff;

}  // namespace

Semaphore::Semaphore(platform::SharedMemory memory)
    : SharedObject(object::Kind::kSemaphore, std::move(memory)),
      memory_(body<Memory>()),
      most_(head().options == 0 || head().options > kMost ? kMost : head().options) {}

Result<std::shared_ptr<Semaphore>> Semaphore::Create(uint32_t value, uint32_t bound) {
  auto memory = Allocate(object::Kind::kSemaphore, sizeof(Memory), bound);
  if (!memory.ok()) return memory.status();
  std::shared_ptr<Semaphore> made(new Semaphore(std::move(*memory)));
  made->memory_->word.store(value, std::memory_order_relaxed);
  return made;
}

Result<std::shared_ptr<Semaphore>> Semaphore::Adopt(platform::UniqueFd fd) {
  auto memory = Receive(object::Kind::kSemaphore, sizeof(Memory), std::move(fd));
  if (!memory.ok()) return memory.status();
  return std::shared_ptr<Semaphore>(new Semaphore(std::move(*memory)));
}

bool Semaphore::TryTake() {
  uint32_t seen = memory_->word.load(std::memory_order_relaxed);
  while (seen & kValue) {
    if (memory_->word.compare_exchange_weak(seen, seen - 1, std::memory_order_acquire,
                                            std::memory_order_relaxed)) {
      return true;
    }
  }
  return false;
}

Wait Semaphore::Acquire(const Deadline& deadline) {
  if (TryTake()) return Wait::kDone;
  if (deadline.immediate()) return Wait::kTimedOut;
  std::atomic<uint32_t>& word = memory_->word;
  uint32_t others = 0;  // kSleepers once this one has slept
  for (uint32_t seen = word.load(std::memory_order_relaxed);;) {
    if (seen & kValue) {
      uint32_t rest = (seen - 1) | others;
      if (!word.compare_exchange_weak(seen, rest, std::memory_order_acquire, std::memory_order_relaxed))
        continue;
      MPROC_STEP();
      if ((rest & kValue) && (rest & kSleepers)) platform::FutexWake(&word, 1, true);
      return Wait::kDone;
    }
    if (!(seen & kSleepers) &&
        !word.compare_exchange_weak(seen, kSleepers, std::memory_order_relaxed, std::memory_order_relaxed)) {
      continue;
    }
    MPROC_STEP();
    Woke woke = SleepOn(&word, kSleepers, deadline);
    others = kSleepers;
    if (woke == Woke::kTimedOut || woke == Woke::kInterrupted) return TryTake() ? Wait::kDone : Gave(woke);
    seen = word.load(std::memory_order_relaxed);
  }
}

bool Semaphore::Release(uint32_t count) {
  std::atomic<uint32_t>& word = memory_->word;
  uint32_t seen = word.load(std::memory_order_relaxed), left = 0;
  do {
    uint32_t value = seen & kValue;
    if (value > most_ || count > most_ - value) return false;
    left = seen + count;
  } while (!word.compare_exchange_weak(seen, left, std::memory_order_release, std::memory_order_relaxed));
  MPROC_STEP();
  if (!(left & kSleepers)) return true;
  if (platform::FutexWake(&word, static_cast<int>(count), true) == 0) {
    MPROC_STEP();
    word.compare_exchange_strong(left, left & ~kSleepers, std::memory_order_relaxed);
  }
  return true;
}

uint32_t Semaphore::Value() const { return memory_->word.load(std::memory_order_relaxed) & kValue; }

}  // namespace mproc::sync
