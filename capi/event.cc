// SPDX-License-Identifier: MIT
#include "sync/event.hh"

#include <mproc/event.h>

#include "capi/sync_handles.hh"

using namespace mproc;
using namespace mproc::capi;
using sync::Event;

mproc_status_t mproc_event_create(mproc_event_t** event) {
  return Guard([&] {
    if (!event) return BadArgument("event is null");
    return GiveOutSync(Event::Create(), event);
  });
}

mproc_status_t mproc_event_set(mproc_event_t* event) {
  return GuardSync<Event>(event, [](Event& e) {
    e.Set();
    return Status();
  });
}

mproc_status_t mproc_event_clear(mproc_event_t* event) {
  return GuardSync<Event>(event, [](Event& e) {
    e.Clear();
    return Status();
  });
}

mproc_status_t mproc_event_is_set(mproc_event_t* event, int32_t* set) {
  return GuardSync<Event>(event, [&](Event& e) {
    if (!set) return BadArgument("set is null");
    *set = e.IsSet();
    return Status();
  });
}

mproc_status_t mproc_event_wait(mproc_event_t* event, int64_t limit) {
  return GuardSync<Event>(event, [&](Event& e) { return StatusOf(e.WaitUntilSet(Deadline::After(limit))); });
}

mproc_status_t mproc_event_destroy(mproc_event_t* event) { return GuardDestroySync<Event>(event); }
