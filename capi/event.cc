// SPDX-License-Identifier: MIT
#include "sync/event.hh"

#include <mproc/event.h>

#include "capi/object_handles.hh"
#include "capi/sync_status.hh"

using namespace mproc;
using namespace mproc::capi;
using sync::Event;

mproc_status_t mproc_event_create(mproc_event_t** event) {
  return Guard([&] {
    if (!event) return BadArgument("event is null");
    return GiveOutObject(Event::Create(), event);
  });
}

mproc_status_t mproc_event_set(mproc_event_t* event) {
  return GuardObject<Event>(event, [](Event& e) {
    e.Set();
    return Status();
  });
}

mproc_status_t mproc_event_clear(mproc_event_t* event) {
  return GuardObject<Event>(event, [](Event& e) {
    e.Clear();
    return Status();
  });
}

mproc_status_t mproc_event_is_set(mproc_event_t* event, int32_t* set) {
  return GuardObject<Event>(event, [&](Event& e) {
    if (!set) return BadArgument("set is null");
    *set = e.IsSet();
    return Status();
  });
}

mproc_status_t mproc_event_wait(mproc_event_t* event, int64_t limit) {
  return GuardObject<Event>(event,
                            [&](Event& e) { return StatusOf(e.WaitUntilSet(Deadline::After(limit))); });
}

mproc_status_t mproc_event_destroy(mproc_event_t* event) { return GuardDestroyObject<Event>(event); }
