// SPDX-License-Identifier: MIT
// Objects of any kind, and those in the functions of workers.
#include <mproc/object.h>

#include "capi/passing.hh"
#include "worker/call.hh"

using namespace mproc;
using namespace mproc::capi;

namespace {

// The handle is made when it is first asked for, and lives as long as the worker knows the function.
Status Adopt(worker::BoundObject* object) {
  auto adopted = AdoptObject(object->kind, std::move(object->fds));
  object->fds.clear();
  if (!adopted.ok()) return adopted.status();
  void* handle = nullptr;
  if (Status given = GiveOutObject(std::move(*adopted), &handle); !given.ok()) return given;
  object->owner = std::shared_ptr<void>(handle, [](void* its) {
    std::shared_ptr<object::Object> last;
    (void)ObjectHandles::Get().Take(its, &last);
  });
  object->handle = handle;
  return Status();
}

}  // namespace

mproc_status_t mproc_call_object(mproc_call_t* call, size_t index, void** object) {
  return Guard([&]() -> Status {
    if (!call) return BadArgument("call is null");
    if (!object) return BadArgument("object is null");
    auto objects = reinterpret_cast<worker::Call*>(call)->context().objects;
    if (index >= objects.size())
      return Status(MPROC_ERROR_END, "no object of this index was bound to the function");
    worker::BoundObject& bound = objects[index];
    if (!bound.handle && bound.fds.empty()) {
      return Status(MPROC_ERROR_PROTOCOL, "the object could not be taken before, and is lost here");
    }
    if (!bound.handle) {
      if (Status adopted = Adopt(&bound); !adopted.ok()) return adopted;
    }
    *object = bound.handle;
    return Status();
  });
}

mproc_status_t mproc_object_kind(const void* object, int32_t* kind) {
  return GuardOn<ObjectHandles>(object, [&](object::Object& o) {
    if (!kind) return BadArgument("kind is null");
    *kind = static_cast<int32_t>(o.kind());
    return Status();
  });
}

mproc_status_t mproc_object_destroy(void* object) {
  return GuardDestroy<ObjectHandles, object::Object>(object);
}
