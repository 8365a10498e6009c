// SPDX-License-Identifier: MIT
// What calls of every kind do with handles: give one out, use the object behind it, take it back.
#pragma once

#include <memory>
#include <string>

#include "capi/guard.hh"
#include "capi/handles.hh"

namespace mproc::capi {

// Runs `body` on the object behind the handle.
template <typename OfKind, typename Body>
Status On(const void* handle, Body&& body) {
  typename OfKind::Pinned object;
  if (Status known = OfKind::Get().Find(handle, &object); !known.ok()) return known;
  return body(*object);
}

// The same inside the wall.
template <typename OfKind, typename Body>
int32_t GuardOn(const void* handle, Body&& body) {
  return Guard([&]() -> Status { return On<OfKind>(handle, body); });
}

// Gives out a handle on an object; `what` names many of them.
template <typename OfKind, typename Handle, typename T>
Status GiveOut(std::shared_ptr<T> object, const char* what, Handle** handle) {
  void* given = OfKind::Get().Add(std::move(object));
  if (!given) return Status(MPROC_ERROR_OUT_OF_MEMORY, std::string("there are 65536 ") + what + " already");
  *handle = static_cast<Handle*>(given);
  return Status();
}

// A call that makes an object with nothing in it.
template <typename OfKind, typename T, typename Handle>
int32_t GuardCreate(const char* what, Handle** handle) {
  return Guard([&] {
    if (!handle) return BadArgument("where to write the handle is null");
    return GiveOut<OfKind>(std::make_shared<T>(), what, handle);
  });
}

// A call that ends a handle; null is none.
template <typename OfKind, typename T>
int32_t GuardDestroy(const void* handle) {
  return Guard([&] {
    std::shared_ptr<T> object;
    return handle ? OfKind::Get().Take(handle, &object) : Status();
  });
}

}  // namespace mproc::capi
