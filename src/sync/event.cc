// SPDX-License-Identifier: MIT
//
// One word: the flag, a bit that says that somebody may be asleep, and the number of times that the flag was
// set, by which one who wakes late knows that it was set although it has been cleared since.
#include "sync/event.hh"

#include <climits>

#include "base/step.hh"

namespace mproc::sync {
namespace {

constexpr uint32_t kFlag = 1, kSleepers = 2, kTime = 4;
constexpr uint32_t kTimes = ~uint32_t{3};

}  // namespace

Result<std::shared_ptr<Event>> Event::Create() {
  auto memory = Allocate(object::Kind::kEvent, sizeof(Memory), 0);
  if (!memory.ok()) return memory.status();
  return std::shared_ptr<Event>(new Event(std::move(*memory)));
}

Result<std::shared_ptr<Event>> Event::Adopt(platform::UniqueFd fd) {
  auto memory = Receive(object::Kind::kEvent, sizeof(Memory), std::move(fd));
  if (!memory.ok()) return memory.status();
  return std::shared_ptr<Event>(new Event(std::move(*memory)));
}

void Event::Set() {
  uint32_t seen = memory_->word.load(std::memory_order_relaxed), set = 0;
  do {
    // A release in any case: whoever sees the flag sees what was done before this call.
    set = seen & kFlag ? seen & ~kSleepers : ((seen & kTimes) + kTime) | kFlag;
  } while (
      !memory_->word.compare_exchange_weak(seen, set, std::memory_order_release, std::memory_order_relaxed));
  MPROC_STEP();
  if (seen & kSleepers) platform::FutexWake(&memory_->word, INT_MAX, true);
}

void Event::Clear() {
  memory_->word.fetch_and(~kFlag, std::memory_order_relaxed);
  MPROC_STEP();
}

bool Event::IsSet() const { return memory_->word.load(std::memory_order_acquire) & kFlag; }

Wait Event::WaitUntilSet(const Deadline& deadline) {
  std::atomic<uint32_t>& word = memory_->word;
  uint32_t seen = word.load(std::memory_order_acquire);
  const uint32_t times = seen & kTimes;
  for (;; seen = word.load(std::memory_order_acquire)) {
    if ((seen & kFlag) || (seen & kTimes) != times) return Wait::kDone;
    if (deadline.immediate()) return Wait::kTimedOut;
    if (!(seen & kSleepers)) {
      if (!word.compare_exchange_weak(seen, seen | kSleepers, std::memory_order_relaxed)) continue;
      seen |= kSleepers;
    }
    MPROC_STEP();
    Woke woke = SleepOn(&word, seen, deadline);
    if (woke == Woke::kTimedOut || woke == Woke::kInterrupted) {
      seen = word.load(std::memory_order_acquire);
      return (seen & kFlag) || (seen & kTimes) != times ? Wait::kDone : Gave(woke);
    }
  }
}

}  // namespace mproc::sync
