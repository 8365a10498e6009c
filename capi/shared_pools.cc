// SPDX-License-Identifier: MIT
#include "capi/shared_pools.hh"

#include <algorithm>
#include <mutex>
#include <vector>

#include "platform/fork_lock.hh"
#include "platform/fork_mark.hh"

namespace mproc::capi {
namespace {

struct SharedPool {
  std::string name;
  std::shared_ptr<pool::Pool> pool;
  size_t handles;
  bool broken;
};

constinit platform::ForkMutex g_shared_mutex;                 // a leaf: no pool is asked while it is held
constinit std::vector<SharedPool>* g_shared_pools = nullptr;  // g_shared_mutex; never freed

bool TakesTasks(const pool::Pool& pool) { return pool.epoch() == platform::ForkEpoch() && pool.running(); }

std::vector<SharedPool>::iterator Entry(const pool::Pool& pool) {
  return std::find_if(g_shared_pools->begin(), g_shared_pools->end(),
                      [&](const SharedPool& shared) { return shared.pool.get() == &pool; });
}

// The newest one of this name, with one more handle. g_shared_mutex.
std::shared_ptr<pool::Pool> Join(const std::string& name) {
  if (!g_shared_pools) g_shared_pools = new std::vector<SharedPool>();
  auto found = std::find_if(g_shared_pools->rbegin(), g_shared_pools->rend(), [&](const SharedPool& shared) {
    return shared.name == name && !shared.broken && TakesTasks(*shared.pool);
  });
  if (found == g_shared_pools->rend()) return nullptr;
  found->handles++;
  return found->pool;
}

}  // namespace

std::shared_ptr<pool::Pool> FindSharedPool(const std::string& name) {
  std::shared_ptr<pool::Pool> found;
  {
    std::lock_guard lock(g_shared_mutex);
    found = Join(name);
  }
  if (!found || found->BrokenWhy().ok()) return found;
  {
    std::lock_guard lock(g_shared_mutex);
    Entry(*found)->broken = true;
  }
  LeavePool(*found);
  return nullptr;
}

std::shared_ptr<pool::Pool> SharePool(const std::string& name, std::shared_ptr<pool::Pool> made) {
  std::lock_guard lock(g_shared_mutex);
  if (auto other = Join(name)) return other;
  g_shared_pools->push_back({name, made, 1, false});
  return made;
}

void LeavePool(pool::Pool& pool) {
  std::shared_ptr<pool::Pool> kept;
  {
    std::lock_guard lock(g_shared_mutex);
    if (g_shared_pools) {
      auto found = Entry(pool);
      if (found != g_shared_pools->end()) {
        if (--found->handles > 0) return;
        kept = std::move(found->pool);
        g_shared_pools->erase(found);
      }
    }
  }
  pool.Destroy();
}

}  // namespace mproc::capi
