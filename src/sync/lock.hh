// SPDX-License-Identifier: MIT
// Locks, plain and recursive, each of them robust or not.
//
//   plain      anybody may release it; the next one waits for that, even if the holder has died
//   recursive  only the thread that holds it may release it, as often as it has acquired it
//   robust     only the thread that holds it may release it; if that thread ends with the lock held, the
//              next one that wants it gets it, and is told
#pragma once

#include "object/shared_object.hh"
#include "platform/thread_identity.hh"
#include "sync/sleep.hh"

namespace mproc::sync {

struct LockOptions {
  bool recursive = false;
  bool robust = false;
};

// What others know of the holder. All 0: nobody has it, or it has just been acquired.
struct Holder {
  uint32_t pid = 0;
  uint32_t tid = 0;
  int64_t since = 0;  // on the monotonic clock, exact to some milliseconds
};

enum class Acquired { kYes, kOwnerDied, kTimedOut, kInterrupted, kTooDeep };
enum class Released { kYes, kWasFree, kNotHolder };

// The lock itself, in the memory of a Lock or of a condition.
class LockMemory {
 public:
  Acquired Acquire(LockOptions options, const Deadline& deadline);
  // Takes it if it is free now. Nobody looks after a holder that may have died.
  bool TryAcquire();
  bool LooksFree() const;
  Released Release(LockOptions options);
  // For a condition: lets go of all levels, and takes so many again, whatever signals come.
  Released ReleaseAll(LockOptions options, uint32_t* levels);
  Acquired AcquireAll(LockOptions options, uint32_t levels);
  // Whether the caller may do what only a holder may: of a plain lock, anybody while it is held.
  bool IsMine(LockOptions options) const;
  Holder GetHolder() const;

 private:
  using ThreadIdentity = platform::ThreadIdentity;

  bool TryTake(const ThreadIdentity& me);
  bool TakeAfterRest(const ThreadIdentity& me);
  Acquired TakeSlowly(LockOptions options, const ThreadIdentity& me, const Deadline& deadline);
  bool TakeFromDead(uint32_t seen, const ThreadIdentity& me);
  bool IsHeldBy(const ThreadIdentity& me) const;
  void NoteHolder(const ThreadIdentity& me);
  Released Free();

  std::atomic<uint32_t> word_;
  std::atomic<uint32_t> levels_;  // of the holder, beyond the first; written by it
  std::atomic<uint32_t> pid_, start_;
  std::atomic<uint32_t> tid_;  // whose pid_, start_ and since_ these are; written last
  std::atomic<int64_t> since_;
};

// Any thread of any process that has it.
class Lock final : public object::SharedObject {
 public:
  static constexpr object::Kind kKind = object::Kind::kLock;
  static Result<std::shared_ptr<Lock>> Create(LockOptions options);
  static Result<std::shared_ptr<Lock>> Adopt(platform::UniqueFd fd);

  LockMemory& memory() const { return *body<LockMemory>(); }
  LockOptions options() const { return options_; }

 private:
  explicit Lock(platform::SharedMemory memory);
  const LockOptions options_;
};

// As they stand in the head of an object.
uint32_t BitsOf(LockOptions options);
LockOptions LockOptionsOf(uint32_t bits);

}  // namespace mproc::sync
