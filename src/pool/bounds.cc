// SPDX-License-Identifier: MIT
#include "pool/bounds.hh"

#include <string>
#include <utility>
#include <vector>

namespace mproc::pool {

uint32_t Bounds::NewId() {
  std::lock_guard lock(mutex_);
  return next_ == 0 ? 0 : next_++;
}

void Bounds::Add(std::shared_ptr<SharedBlock> memory) {
  std::lock_guard lock(mutex_);
  uint32_t id = memory->note()->id;
  bounds_[id].memory = std::move(memory);
}

Status Bounds::Check(uint32_t id) const {
  std::lock_guard lock(mutex_);
  auto found = bounds_.find(id);
  if (found != bounds_.end() && !found->second.removed) return Status();
  const char* why = id < next_ ? " was unbound" : " is not of this pool";
  return Status(MPROC_ERROR_UNKNOWN_FUNCTION, "the bound function " + std::to_string(id) + why);
}

Status Bounds::Remove(uint32_t id) {
  if (Status known = Check(id); !known.ok()) return known;
  std::shared_ptr<SharedBlock> last;  // freed without the lock
  std::lock_guard lock(mutex_);
  auto found = bounds_.find(id);
  if (found == bounds_.end()) return Status();  // another thread was faster
  found->second.removed = true;
  if (found->second.tasks > 0) return Status();
  last = std::move(found->second.memory);
  bounds_.erase(found);
  return Status();
}

void Bounds::RemoveAll() {
  std::vector<uint32_t> ids;
  {
    std::lock_guard lock(mutex_);
    for (const auto& [id, bound] : bounds_) ids.push_back(id);
  }
  for (uint32_t id : ids) {
    Status removed = Remove(id);
    (void)removed;  // another thread may have been faster
  }
}

void Bounds::Count(uint32_t id, int64_t more) {
  std::shared_ptr<SharedBlock> last;
  std::lock_guard lock(mutex_);
  auto found = bounds_.find(id);
  Bound& bound = found->second;
  bound.tasks += more;
  if (bound.tasks > 0 || !bound.removed) return;
  last = std::move(bound.memory);
  bounds_.erase(found);
}

std::shared_ptr<SharedBlock> Bounds::MemoryOf(uint32_t id) const {
  std::lock_guard lock(mutex_);
  return bounds_.at(id).memory;
}

uint32_t Bounds::Find(uint32_t id) const {
  std::lock_guard lock(mutex_);
  auto found = bounds_.find(id);
  return found == bounds_.end() ? id : found->second.memory->note()->function;
}

}  // namespace mproc::pool
