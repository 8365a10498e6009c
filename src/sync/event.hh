// SPDX-License-Identifier: MIT
// Events: a flag that many processes wait for.
#pragma once

#include "object/shared_object.hh"
#include "sync/sleep.hh"

namespace mproc::sync {

// Any thread of any process that has it.
class Event final : public object::SharedObject {
 public:
  static constexpr object::Kind kKind = object::Kind::kEvent;
  static Result<std::shared_ptr<Event>> Create();
  static Result<std::shared_ptr<Event>> Adopt(platform::UniqueFd fd);

  // Lets all go who wait now, even if the flag is cleared before they look.
  void Set();
  void Clear();
  bool IsSet() const;
  Wait WaitUntilSet(const Deadline& deadline);

 private:
  struct Memory {
    std::atomic<uint32_t> word;
  };

  explicit Event(platform::SharedMemory memory)
      : SharedObject(object::Kind::kEvent, std::move(memory)), memory_(body<Memory>()) {}

  Memory* const memory_;
};

}  // namespace mproc::sync
