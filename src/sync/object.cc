// SPDX-License-Identifier: MIT
#include "sync/object.hh"

#include <string>

namespace mproc::sync {
namespace {

constexpr uint32_t kMagic = 0x6f70726d;  // "mrpo"
constexpr uint32_t kVersion = 1;

Status CheckHead(const ObjectHead& head) {
  if (head.magic != kMagic) return Status(MPROC_ERROR_PROTOCOL, "this memory is no lock, event or the like");
  if (head.version != kVersion) {
    return Status(MPROC_ERROR_PROTOCOL, "the object was made by another version of the library");
  }
  return Status();
}

}  // namespace

const char* NameOf(Kind kind) {
  switch (kind) {
    case Kind::kLock:
      return "lock";
    case Kind::kSemaphore:
      return "semaphore";
    case Kind::kEvent:
      return "event";
    case Kind::kCondition:
      return "condition";
    case Kind::kBarrier:
      return "barrier";
  }
  return "object of no known kind";
}

Result<platform::SharedMemory> Object::Allocate(Kind kind, size_t size, uint32_t options) {
  auto memory = platform::SharedMemory::Create("mproc-object", sizeof(ObjectHead) + size,
                                               platform::SharedMemory::Peer::kWrites);
  if (!memory.ok()) return memory;
  auto* head = reinterpret_cast<ObjectHead*>(memory->data());
  *head = {kMagic, kVersion, static_cast<uint32_t>(kind), options, memory->size()};
  return memory;
}

Result<platform::SharedMemory> Object::Receive(Kind kind, size_t size, platform::UniqueFd fd) {
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

}  // namespace mproc::sync
