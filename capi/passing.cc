// SPDX-License-Identifier: MIT
#include "capi/passing.hh"

#include "capi/sweeper.hh"
#include "connection/connection.hh"
#include "queue/queue.hh"
#include "shm/array.hh"
#include "shm/memory.hh"
#include "shm/segment.hh"
#include "sync/passing.hh"

namespace mproc::capi {

Result<std::vector<object::PassedObject>> PassAll(void* const* handles, size_t count) {
  if (count > object::kMostPassed) return BadArgument("there are at most 64 objects");
  if (!handles && count) return BadArgument("objects is null, count is not 0");
  std::vector<object::PassedObject> passed;
  for (size_t i = 0; i < count; i++) {
    ObjectHandles::Pinned pinned;
    if (Status known = ObjectHandles::Get().Find(handles[i], &pinned); !known.ok()) return known;
    passed.push_back(object::Pass(pinned.Share()));
  }
  return passed;
}

Result<std::shared_ptr<object::Object>> AdoptObject(uint32_t kind, object::ReceivedFds fds) {
  if (fds.empty()) return Status(MPROC_ERROR_PROTOCOL, "an object came without descriptors");
  switch (auto known = static_cast<object::Kind>(kind)) {
    case object::Kind::kLock:
    case object::Kind::kSemaphore:
    case object::Kind::kEvent:
    case object::Kind::kCondition:
    case object::Kind::kBarrier:
      return sync::AdoptObject(known, std::move(fds));
    case object::Kind::kMemory:
      if (fds.size() != 1) return Status(MPROC_ERROR_PROTOCOL, "memory that came with two descriptors");
      return object::AsObject(shm::Memory::Adopt(std::move(fds[0])));
    case object::Kind::kSegment:
      if (fds.size() != 1) return Status(MPROC_ERROR_PROTOCOL, "a segment that came with two descriptors");
      if (Status ensured = EnsureSweeper(); !ensured.ok()) return ensured;
      return object::AsObject(shm::Segment::Adopt(std::move(fds[0])));
    case object::Kind::kArray:
      return object::AsObject(shm::Array::Adopt(std::move(fds)));
    case object::Kind::kQueue:
      return object::AsObject(queue::Queue::Adopt(std::move(fds)));
    case object::Kind::kConnection:
      if (fds.size() != 1) return Status(MPROC_ERROR_PROTOCOL, "a connection that came with two descriptors");
      return object::AsObject(connection::Connection::Adopt(std::move(fds[0])));
    default:
      return Status(MPROC_ERROR_PROTOCOL, "an object of a kind that is not known here");
  }
}

}  // namespace mproc::capi
