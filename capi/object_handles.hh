// SPDX-License-Identifier: MIT
// The handles of objects: locks, memory, queues, connections and the like. They are of one kind for the list
// of handles, so that any of them can be passed where objects are passed; the object itself knows what it is.
#pragma once

#include <string>

#include "capi/handle_calls.hh"
#include "object/object.hh"

namespace mproc::capi {

using ObjectHandles = Handles<object::Object, 8>;

[[gnu::cold, gnu::noinline]] inline Status WrongKind(object::Kind kind, object::Kind wanted) {
  return Status(MPROC_ERROR_INVALID_HANDLE, std::string("this is the handle of a ") + object::NameOf(kind) +
                                                ", not of a " + object::NameOf(wanted));
}

// Runs `body` on the T behind the handle.
template <typename T, typename Body>
Status OnObject(const void* handle, Body&& body) {
  return On<ObjectHandles>(handle, [&](object::Object& object) -> Status {
    if (object.kind() != T::kKind) return WrongKind(object.kind(), T::kKind);
    return body(static_cast<T&>(object));
  });
}

// The same inside the wall. A wait in there is no point of cancellation.
template <typename T, typename Body>
int32_t GuardObject(const void* handle, Body&& body) {
  return GuardTask([&]() -> Status { return OnObject<T>(handle, body); });
}

// Gives out a handle on what was made.
template <typename Handle>
Status GiveOutObject(std::shared_ptr<object::Object> made, Handle** handle) {
  return GiveOut<ObjectHandles>(std::move(made), "locks, queues and other objects", handle);
}
template <typename Handle, typename T>
Status GiveOutObject(Result<std::shared_ptr<T>> made, Handle** handle) {
  auto object = object::AsObject(std::move(made));
  return object.ok() ? GiveOutObject(std::move(*object), handle) : object.status();
}

// Takes back a handle on a T; null is none.
template <typename T>
int32_t GuardDestroyObject(const void* handle) {
  if (!handle) return MPROC_OK;
  int32_t good = GuardObject<T>(handle, [](T&) { return Status(); });
  return good == MPROC_OK ? GuardDestroy<ObjectHandles, object::Object>(handle) : good;
}

}  // namespace mproc::capi
