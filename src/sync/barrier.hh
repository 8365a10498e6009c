// SPDX-License-Identifier: MIT
// Barriers: as many as there are parties wait for one another, round after round.
#pragma once

#include <functional>

#include "object/shared_object.hh"
#include "sync/sleep.hh"

namespace mproc::sync {

enum class Met { kAll, kBroken, kTimedOut, kActionFailed };

// Any thread of any process that has it.
class Barrier final : public object::SharedObject {
 public:
  static constexpr object::Kind kKind = object::Kind::kBarrier;
  static constexpr uint32_t kMostParties = 32767;

  static Result<std::shared_ptr<Barrier>> Create(uint32_t parties);
  static Result<std::shared_ptr<Barrier>> Adopt(platform::UniqueFd fd);

  // Waits for the others. With kAll, *index is another one of 0 to parties - 1 in each of them. `action`, if
  // there is one, is run by the last that comes, before anybody goes on; false breaks the barrier. Who runs
  // out of time breaks it, too. Signals do not end the wait.
  Met Meet(const Deadline& deadline, const std::function<bool()>& action, uint32_t* index);
  // Breaks the barrier until it is reset.
  void Abort();
  // As new; for those who wait now it breaks.
  void Reset();
  bool IsBroken() const;
  uint32_t parties() const { return parties_; }
  uint32_t CountWaiting() const;

 private:
  struct Memory {
    std::atomic<uint64_t> state;
    std::atomic<uint32_t> bell;   // rung after each change of the state that ends a wait
    std::atomic<uint64_t> actor;  // the thread that completes the round, with an action: start and number
  };

  explicit Barrier(platform::SharedMemory memory);
  bool Change(uint64_t* seen, uint64_t state);
  bool BecomeActor();
  void LoseDeadActor();
  Met Act(uint64_t acting, const std::function<bool()>& action);
  Met Await(uint64_t mine, const Deadline& deadline);

  Memory* const memory_;
  const uint32_t parties_;  // a copy: no peer can change it here
};

}  // namespace mproc::sync
