// SPDX-License-Identifier: MIT
#include "sync/barrier.hh"

#include <mproc/barrier.h>

#include "capi/object_handles.hh"
#include "capi/sync_status.hh"

using namespace mproc;
using namespace mproc::capi;
using sync::Barrier;

mproc_status_t mproc_barrier_create(int64_t parties, mproc_barrier_t** barrier) {
  return Guard([&] {
    if (!barrier) return BadArgument("barrier is null");
    if (parties < 1 || parties > Barrier::kMostParties)
      return BadArgument("a barrier has 1 to 32767 parties");
    return GiveOutObject(Barrier::Create(static_cast<uint32_t>(parties)), barrier);
  });
}

mproc_status_t mproc_barrier_wait(mproc_barrier_t* barrier, int64_t limit, mproc_barrier_cb action,
                                  void* user_data, int64_t* index) {
  return GuardObject<Barrier>(barrier, [&](Barrier& b) {
    std::function<bool()> last;
    if (action) last = [=] { return action(user_data) == 0; };
    uint32_t place = 0;
    Status met = StatusOf(b.Meet(Deadline::After(limit), last, &place));
    if (met.ok() && index) *index = place;
    return met;
  });
}

mproc_status_t mproc_barrier_abort(mproc_barrier_t* barrier) {
  return GuardObject<Barrier>(barrier, [](Barrier& b) {
    b.Abort();
    return Status();
  });
}

mproc_status_t mproc_barrier_reset(mproc_barrier_t* barrier) {
  return GuardObject<Barrier>(barrier, [](Barrier& b) {
    b.Reset();
    return Status();
  });
}

mproc_status_t mproc_barrier_state(mproc_barrier_t* barrier, int64_t* parties, int64_t* waiting,
                                   int32_t* broken) {
  return GuardObject<Barrier>(barrier, [&](Barrier& b) {
    if (parties) *parties = b.parties();
    if (waiting) *waiting = b.CountWaiting();
    if (broken) *broken = b.IsBroken();
    return Status();
  });
}

mproc_status_t mproc_barrier_destroy(mproc_barrier_t* barrier) {
  return GuardDestroyObject<Barrier>(barrier);
}
