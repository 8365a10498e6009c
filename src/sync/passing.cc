// SPDX-License-Identifier: MIT
#include "sync/passing.hh"

#include "sync/barrier.hh"
#include "sync/condition.hh"
#include "sync/event.hh"
#include "sync/lock.hh"
#include "sync/semaphore.hh"

namespace mproc::sync {
namespace {

// Its own memory first, then that of its lock if it was given one.
Result<std::shared_ptr<object::Object>> AdoptCondition(object::ReceivedFds* fds) {
  std::shared_ptr<Lock> lock;
  if (fds->size() == 2) {
    auto adopted = Lock::Adopt(std::move((*fds)[1]));
    if (!adopted.ok()) return adopted.status();
    lock = std::move(*adopted);
  }
  return object::AsObject(Condition::Adopt(std::move((*fds)[0]), std::move(lock)));
}

}  // namespace

Result<std::shared_ptr<object::Object>> AdoptObject(object::Kind kind, object::ReceivedFds fds) {
  size_t most = kind == object::Kind::kCondition ? 2 : 1;
  if (fds.empty() || fds.size() > most)
    return Status(MPROC_ERROR_PROTOCOL, "an object came with too few descriptors");
  switch (kind) {
    case object::Kind::kLock:
      return object::AsObject(Lock::Adopt(std::move(fds[0])));
    case object::Kind::kSemaphore:
      return object::AsObject(Semaphore::Adopt(std::move(fds[0])));
    case object::Kind::kEvent:
      return object::AsObject(Event::Adopt(std::move(fds[0])));
    case object::Kind::kCondition:
      return AdoptCondition(&fds);
    case object::Kind::kBarrier:
      return object::AsObject(Barrier::Adopt(std::move(fds[0])));
    default:
      break;
  }
  return Status(MPROC_ERROR_PROTOCOL, "an object of a kind that is not known here");
}

}  // namespace mproc::sync
