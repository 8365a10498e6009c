// SPDX-License-Identifier: MIT
// What processes share and hand to one another: locks, memory, queues, connections. An object is a handful of
// descriptors and what is mapped of them; whoever gets the descriptors may adopt it, and it lives as long as
// one process has it, however the others ended.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/status.hh"
#include "platform/fork_guard.hh"

namespace mproc::object {

// Numbers never change: processes of one program may have loaded the library twice.
enum class Kind : uint32_t {
  kLock = 1,
  kSemaphore = 2,
  kEvent = 3,
  kCondition = 4,
  kBarrier = 5,
  kMemory = 6,
  kArray = 7,
  kQueue = 8,
  kConnection = 9,
  kSegment = 10
};

const char* NameOf(Kind kind);

// The base of all. Its kind and its descriptors never change, so any thread may look at them.
class Object : public std::enable_shared_from_this<Object> {
 public:
  virtual ~Object() = default;
  Object(const Object&) = delete;
  Object& operator=(const Object&) = delete;

  Kind kind() const { return kind_; }
  // What to send of it; they stay the object's.
  virtual std::vector<int> Descriptors() const = 0;

 protected:
  explicit Object(Kind kind) : kind_(kind) {}

 private:
  const Kind kind_;
};

// What was made, as an object.
template <typename T>
Result<std::shared_ptr<Object>> AsObject(Result<std::shared_ptr<T>> made) {
  if (!made.ok()) return made.status();
  return std::shared_ptr<Object>(std::move(*made));
}

// A descriptor of one that came. Nobody may take the object for long, or ever; until then forked children do
// not get it. Who adopts the object takes it as he needs it.
class ReceivedFd : public platform::GuardedFd {
 public:
  ReceivedFd() = default;
  ReceivedFd(platform::UniqueFd fd) : GuardedFd(std::move(fd)) {}
  operator platform::UniqueFd() && { return Release(); }
};
using ReceivedFds = std::vector<ReceivedFd>;

// One that is on its way to another process: what is sent of it, and who keeps that open meanwhile.
struct PassedObject {
  uint32_t kind;
  std::vector<int> fds;
  std::shared_ptr<const void> owner;
};

inline PassedObject Pass(const std::shared_ptr<const Object>& object) {
  return {static_cast<uint32_t>(object->kind()), object->Descriptors(), object};
}

}  // namespace mproc::object
