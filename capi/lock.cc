// SPDX-License-Identifier: MIT
#include "sync/lock.hh"

#include <mproc/lock.h>

#include <algorithm>

#include "base/clock.hh"
#include "capi/object_handles.hh"
#include "capi/sync_status.hh"

using namespace mproc;
using namespace mproc::capi;
using sync::Lock;

mproc_status_t mproc_lock_create(int32_t kind, mproc_lock_t** lock) {
  return Guard([&] {
    if (!lock) return BadArgument("lock is null");
    if (kind < 0 || kind > (MPROC_LOCK_RECURSIVE | MPROC_LOCK_ROBUST)) return BadArgument("no kind of lock");
    return GiveOutObject(Lock::Create({(kind & MPROC_LOCK_RECURSIVE) != 0, (kind & MPROC_LOCK_ROBUST) != 0}),
                         lock);
  });
}

mproc_status_t mproc_lock_acquire(mproc_lock_t* lock, int64_t limit) {
  return GuardObject<Lock>(
      lock, [&](Lock& l) { return StatusOf(l.memory().Acquire(l.options(), Deadline::After(limit))); });
}

mproc_status_t mproc_lock_release(mproc_lock_t* lock) {
  return GuardObject<Lock>(lock, [&](Lock& l) { return StatusOf(l.memory().Release(l.options())); });
}

mproc_status_t mproc_lock_holder(mproc_lock_t* lock, int64_t* pid, int64_t* tid, int64_t* held) {
  return GuardObject<Lock>(lock, [&](Lock& l) {
    sync::Holder holder = l.memory().GetHolder();
    if (pid) *pid = holder.pid;
    if (tid) *tid = holder.tid;
    if (held) *held = holder.since ? std::max<int64_t>(0, NowNs() - holder.since) : 0;
    return Status();
  });
}

mproc_status_t mproc_lock_destroy(mproc_lock_t* lock) { return GuardDestroyObject<Lock>(lock); }
