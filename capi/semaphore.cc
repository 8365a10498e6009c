// SPDX-License-Identifier: MIT
#include "sync/semaphore.hh"

#include <mproc/semaphore.h>

#include "capi/object_handles.hh"
#include "capi/sync_status.hh"

using namespace mproc;
using namespace mproc::capi;
using sync::Semaphore;

mproc_status_t mproc_semaphore_create(int64_t value, int64_t bound, mproc_semaphore_t** semaphore) {
  return Guard([&] {
    if (!semaphore) return BadArgument("semaphore is null");
    if (value < 0 || value > Semaphore::kMost)
      return BadArgument("the value of a semaphore is 0 to 2147483647");
    if (bound != 0 && (bound < value || bound > Semaphore::kMost)) {
      return BadArgument("the bound of a semaphore is 0, for none, or its value to 2147483647");
    }
    return GiveOutObject(Semaphore::Create(static_cast<uint32_t>(value), static_cast<uint32_t>(bound)),
                         semaphore);
  });
}

mproc_status_t mproc_semaphore_acquire(mproc_semaphore_t* semaphore, int64_t limit) {
  return GuardObject<Semaphore>(semaphore,
                                [&](Semaphore& s) { return StatusOf(s.Acquire(Deadline::After(limit))); });
}

mproc_status_t mproc_semaphore_release(mproc_semaphore_t* semaphore, int64_t count) {
  return GuardObject<Semaphore>(semaphore, [&](Semaphore& s) {
    if (count < 1) return BadArgument("what is given back is at least 1");
    bool fits = count <= Semaphore::kMost && s.Release(static_cast<uint32_t>(count));
    return fits ? Status() : Status(MPROC_ERROR_RELEASED_TOO_OFTEN);
  });
}

mproc_status_t mproc_semaphore_value(mproc_semaphore_t* semaphore, int64_t* value) {
  return GuardObject<Semaphore>(semaphore, [&](Semaphore& s) {
    if (!value) return BadArgument("value is null");
    *value = s.Value();
    return Status();
  });
}

mproc_status_t mproc_semaphore_destroy(mproc_semaphore_t* semaphore) {
  return GuardDestroyObject<Semaphore>(semaphore);
}
