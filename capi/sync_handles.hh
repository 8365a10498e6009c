// SPDX-License-Identifier: MIT
// The handles of what processes share to keep apart and to meet: locks, semaphores, events, conditions,
// barriers. They are of one kind for the list of handles, so that any of them can be passed where objects are
// passed; the object itself knows what it is.
#pragma once

#include <string>

#include "capi/handle_calls.hh"
#include "sync/object.hh"
#include "sync/sleep.hh"

namespace mproc::capi {

using SyncHandles = Handles<sync::Object, 8>;

// Runs `body` on the T behind the handle, inside the wall. A wait in there is no point of cancellation.
template <typename T, typename Body>
int32_t GuardSync(const void* handle, Body&& body) {
  return GuardTask([&]() -> Status {
    return On<SyncHandles>(handle, [&](sync::Object& object) -> Status {
      if (object.kind() == T::kKind) return body(static_cast<T&>(object));
      return Status(MPROC_ERROR_INVALID_HANDLE, std::string("this is the handle of a ") +
                                                    sync::NameOf(object.kind()) + ", not of a " +
                                                    sync::NameOf(T::kKind));
    });
  });
}

// Gives out a handle on what was made.
template <typename Handle, typename T>
Status GiveOutSync(Result<std::shared_ptr<T>> made, Handle** handle) {
  if (!made.ok()) return made.status();
  return GiveOut<SyncHandles>(std::shared_ptr<sync::Object>(std::move(*made)), "locks, events and the like",
                              handle);
}

// Takes back a handle on a T; null is none.
template <typename T>
int32_t GuardDestroySync(const void* handle) {
  if (!handle) return MPROC_OK;
  int32_t good = GuardSync<T>(handle, [](T&) { return Status(); });
  return good == MPROC_OK ? GuardDestroy<SyncHandles, sync::Object>(handle) : good;
}

inline Status StatusOf(sync::Wait wait) {
  switch (wait) {
    case sync::Wait::kDone:
      return Status();
    case sync::Wait::kTimedOut:
      return Status(MPROC_ERROR_TIMED_OUT);
    case sync::Wait::kInterrupted:
      return Status(MPROC_ERROR_INTERRUPTED);
  }
  return Status(MPROC_ERROR_INTERNAL);
}

}  // namespace mproc::capi
