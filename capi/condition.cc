// SPDX-License-Identifier: MIT
#include "sync/condition.hh"

#include <mproc/condition.h>

#include <algorithm>

#include "capi/object_handles.hh"
#include "capi/sync_status.hh"

using namespace mproc;
using namespace mproc::capi;
using sync::Condition;
using sync::Lock;

mproc_status_t mproc_condition_create(mproc_lock_t* lock, mproc_condition_t** condition) {
  auto create = [&](std::shared_ptr<Lock> given) -> Status {
    if (!condition) return BadArgument("condition is null");
    return GiveOutObject(Condition::Create(std::move(given)), condition);
  };
  if (!lock) {
    return Guard([&] { return create(nullptr); });
  }
  return GuardObject<Lock>(
      lock, [&](Lock& l) { return create(std::static_pointer_cast<Lock>(l.shared_from_this())); });
}

mproc_status_t mproc_condition_acquire(mproc_condition_t* condition, int64_t limit) {
  return GuardObject<Condition>(condition, [&](Condition& c) {
    return StatusOf(c.lock().Acquire(c.lock_options(), Deadline::After(limit)));
  });
}

mproc_status_t mproc_condition_release(mproc_condition_t* condition) {
  return GuardObject<Condition>(condition,
                                [&](Condition& c) { return StatusOf(c.lock().Release(c.lock_options())); });
}

mproc_status_t mproc_condition_wait(mproc_condition_t* condition, int64_t limit) {
  return GuardObject<Condition>(
      condition, [&](Condition& c) { return StatusOf(c.WaitForNotify(Deadline::After(limit))); });
}

mproc_status_t mproc_condition_wait_for(mproc_condition_t* condition, mproc_predicate_cb predicate,
                                        void* user_data, int64_t limit) {
  return GuardObject<Condition>(condition, [&](Condition& c) {
    if (!predicate) return BadArgument("predicate is null");
    Deadline deadline = Deadline::After(limit);
    for (;;) {
      if (!c.lock().IsMine(c.lock_options())) return StatusOf(sync::Waited::kNotHolder);
      if (int32_t so = predicate(user_data))
        return so > 0 ? Status() : Status(MPROC_ERROR_CANCELLED, "the predicate said so");
      Status waited = StatusOf(c.WaitForNotify(deadline));
      if (waited.ok()) continue;
      // It may have come true as the time ran out.
      if (waited.code() == MPROC_ERROR_TIMED_OUT && predicate(user_data) > 0) return Status();
      return waited;
    }
  });
}

mproc_status_t mproc_condition_notify(mproc_condition_t* condition, int64_t count) {
  return GuardObject<Condition>(condition, [&](Condition& c) {
    if (count < 1) return BadArgument("count is at least 1");
    bool held = c.Notify(static_cast<uint32_t>(std::min<int64_t>(count, Condition::kMostWaiting)));
    return held ? Status() : Status(MPROC_ERROR_NOT_HOLDER, "acquire the condition before a notification");
  });
}

mproc_status_t mproc_condition_destroy(mproc_condition_t* condition) {
  return GuardDestroyObject<Condition>(condition);
}
