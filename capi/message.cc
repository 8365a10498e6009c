// SPDX-License-Identifier: MIT
#include "capi/message.hh"

#include "capi/passing.hh"

using namespace mproc;
using namespace mproc::capi;

mproc_status_t mproc_message_data(mproc_message_t* message, void** data, size_t* size) {
  return GuardOn<MessageHandles>(message, [&](HeldMessage& held) {
    const Buffer& bytes = held.message.bytes;
    if (data) *data = bytes.data() ? static_cast<void*>(bytes.data()) : &held;
    if (size) *size = bytes.size();
    return Status();
  });
}

mproc_status_t mproc_message_object(mproc_message_t* message, size_t index, void** object) {
  return GuardOn<MessageHandles>(message, [&](HeldMessage& held) -> Status {
    if (!object) return BadArgument("object is null");
    std::lock_guard lock(held.mutex);
    auto& objects = held.message.objects;
    if (index >= objects.size())
      return Status(MPROC_ERROR_END, "no object of this index came with the message");
    if (objects[index].fds.empty()) return Status(MPROC_ERROR_NOT_FOUND, "the object was taken before");
    auto adopted = AdoptObject(objects[index].kind, std::exchange(objects[index].fds, {}));
    return GiveOutObject(std::move(adopted), object);
  });
}

mproc_status_t mproc_message_destroy(mproc_message_t* message) {
  return GuardDestroy<MessageHandles, HeldMessage>(message);
}
