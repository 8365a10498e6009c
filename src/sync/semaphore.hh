// SPDX-License-Identifier: MIT
// Semaphores: a number that many processes take from and give to, with an upper bound or without.
#pragma once

#include "object/shared_object.hh"
#include "sync/sleep.hh"

namespace mproc::sync {

// Any thread of any process that has it.
class Semaphore final : public object::SharedObject {
 public:
  static constexpr object::Kind kKind = object::Kind::kSemaphore;
  static constexpr uint32_t kMost = 0x7fffffff;

  // `bound` 0: none.
  static Result<std::shared_ptr<Semaphore>> Create(uint32_t value, uint32_t bound);
  static Result<std::shared_ptr<Semaphore>> Adopt(platform::UniqueFd fd);

  Wait Acquire(const Deadline& deadline);
  // False if that would be beyond the bound; then nothing has changed.
  bool Release(uint32_t count);
  uint32_t Value() const;

 private:
  struct Memory {
    std::atomic<uint32_t> word;
  };

  explicit Semaphore(platform::SharedMemory memory);
  bool TryTake();

  Memory* const memory_;
  const uint32_t most_;  // a copy: no peer can change it here
};

}  // namespace mproc::sync
