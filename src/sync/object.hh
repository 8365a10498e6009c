// SPDX-License-Identifier: MIT
// What locks, semaphores, events, conditions and barriers have in common: shared memory of their own, whose
// start says what it is. The memory has no name. It lives as long as one process has it mapped or its
// descriptor open, however the others ended; whoever gets the descriptor may adopt it.
//
// The words in that memory are written by every process that has it, and such a process may be killed between
// any two stores. So no object has a state from which the others could not go on, and nothing that is read
// there is trusted as an index, a length or a count that was not checked.
#pragma once

#include <atomic>
#include <memory>

#include "base/status.hh"
#include "platform/shared_memory.hh"

namespace mproc::sync {

// Numbers never change: processes of one program may have loaded the library twice.
enum class Kind : uint32_t { kLock = 1, kSemaphore = 2, kEvent = 3, kCondition = 4, kBarrier = 5 };

const char* NameOf(Kind kind);

struct alignas(64) ObjectHead {
  uint32_t magic;
  uint32_t version;
  uint32_t kind;
  uint32_t options;  // of the kind; constant
  uint64_t size;     // of all the memory
};

// The base of all: owns one mapping. Immutable, so any thread.
class Object : public std::enable_shared_from_this<Object> {
 public:
  virtual ~Object() = default;
  Object(const Object&) = delete;
  Object& operator=(const Object&) = delete;

  Kind kind() const { return kind_; }
  // To be passed on, with the size; the receiver adopts it.
  int fd() const { return memory_.fd(); }
  size_t size() const { return memory_.size(); }

 protected:
  // With memory that Allocate or Receive gave.
  Object(Kind kind, platform::SharedMemory memory) : kind_(kind), memory_(std::move(memory)) {}

  // Fresh memory, zero but for its head.
  static Result<platform::SharedMemory> Allocate(Kind kind, size_t size, uint32_t options);
  // That of another process; PROTOCOL if it is no object of this kind.
  static Result<platform::SharedMemory> Receive(Kind kind, size_t size, platform::UniqueFd fd);

  const ObjectHead& head() const { return *reinterpret_cast<const ObjectHead*>(memory_.data()); }
  template <typename T>
  T* body() const {
    return reinterpret_cast<T*>(memory_.data() + sizeof(ObjectHead));
  }

 private:
  const Kind kind_;
  platform::SharedMemory memory_;
};

}  // namespace mproc::sync
