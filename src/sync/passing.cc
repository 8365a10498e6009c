// SPDX-License-Identifier: MIT
#include "sync/passing.hh"

#include "sync/barrier.hh"
#include "sync/condition.hh"
#include "sync/event.hh"
#include "sync/lock.hh"
#include "sync/semaphore.hh"

namespace mproc::sync {
namespace {

template <typename T>
Result<std::shared_ptr<Object>> AsObject(Result<std::shared_ptr<T>> adopted) {
  if (!adopted.ok()) return adopted.status();
  return std::shared_ptr<Object>(std::move(*adopted));
}

// Its own memory first, then that of its lock if it was given one.
Result<std::shared_ptr<Object>> AdoptCondition(std::vector<platform::UniqueFd>* fds) {
  std::shared_ptr<Lock> lock;
  if (fds->size() == 2) {
    auto adopted = Lock::Adopt(std::move((*fds)[1]));
    if (!adopted.ok()) return adopted.status();
    lock = std::move(*adopted);
  }
  return AsObject(Condition::Adopt(std::move((*fds)[0]), std::move(lock)));
}

}  // namespace

std::vector<int> DescriptorsOf(const Object& object) {
  std::vector<int> fds{object.fd()};
  if (object.kind() == Kind::kCondition) {
    const auto& lock = static_cast<const Condition&>(object).given_lock();
    if (lock) fds.push_back(lock->fd());
  }
  return fds;
}

Result<std::shared_ptr<Object>> AdoptObject(uint32_t kind, std::vector<platform::UniqueFd> fds) {
  size_t most = kind == static_cast<uint32_t>(Kind::kCondition) ? 2 : 1;
  if (fds.empty() || fds.size() > most)
    return Status(MPROC_ERROR_PROTOCOL, "an object came with too few descriptors");
  switch (static_cast<Kind>(kind)) {
    case Kind::kLock:
      return AsObject(Lock::Adopt(std::move(fds[0])));
    case Kind::kSemaphore:
      return AsObject(Semaphore::Adopt(std::move(fds[0])));
    case Kind::kEvent:
      return AsObject(Event::Adopt(std::move(fds[0])));
    case Kind::kCondition:
      return AdoptCondition(&fds);
    case Kind::kBarrier:
      return AsObject(Barrier::Adopt(std::move(fds[0])));
  }
  return Status(MPROC_ERROR_PROTOCOL, "an object of a kind that is not known here");
}

}  // namespace mproc::sync
