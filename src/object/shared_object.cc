// SPDX-License-Identifier: MIT
#include "object/shared_object.hh"

#include <string>

namespace mproc::object {
namespace {

constexpr uint32_t kMagic = 0x6f70726d;  // "mrpo"
constexpr uint32_t kVersion = 1;

Status CheckHead(const ObjectHead& head) {
  if (head.magic != kMagic) return Status(MPROC_ERROR_PROTOCOL, "this memory is no object of the library");
  if (head.version != kVersion) {
    return Status(MPROC_ERROR_PROTOCOL, "the object was made by another version of the library");
  }
  return Status();
}

}  // namespace

Result<platform::SharedMemory> SharedObject::Allocate(Kind kind, size_t size, uint32_t options) {
  auto memory = platform::SharedMemory::Create("mproc-object", sizeof(ObjectHead) + size,
                                               platform::SharedMemory::Peer::kWrites);
  if (!memory.ok()) return memory;
  auto* head = reinterpret_cast<ObjectHead*>(memory->data());
  *head = {kMagic, kVersion, static_cast<uint32_t>(kind), options, memory->size()};
  return memory;
}

Result<platform::SharedMemory> SharedObject::Receive(Kind kind, size_t size, platform::UniqueFd fd) {
  // The size is that of the kind, never what a peer says.
  size_t whole = (sizeof(ObjectHead) + size + 4095) & ~size_t{4095};
  auto memory = platform::SharedMemory::Adopt(std::move(fd), whole, true, true);
  if (!memory.ok()) return memory;
  ObjectHead head = *reinterpret_cast<const ObjectHead*>(memory->data());
  if (Status good = CheckHead(head); !good.ok()) return good;
  if (head.kind != static_cast<uint32_t>(kind)) {
    return Status(MPROC_ERROR_WRONG_KIND, std::string("this is a ") + NameOf(static_cast<Kind>(head.kind)) +
                                              ", not a " + NameOf(kind));
  }
  return memory;
}

}  // namespace mproc::object
