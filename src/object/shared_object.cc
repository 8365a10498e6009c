// SPDX-License-Identifier: MIT
#include "object/shared_object.hh"

#include <cstring>
#include <string>

namespace mproc::object {
namespace {

constexpr uint32_t kMagic = 0x6f70726d;  // "mrpo"
constexpr uint32_t kVersion = 1;
constexpr char kName[] = "mproc-object";

// The head is read once: a peer may be writing there.
Status Check(const platform::SharedMemory& memory, Kind kind, size_t least) {
  ObjectHead head;
  std::memcpy(&head, memory.data(), sizeof head);
  if (head.magic != kMagic) return Status(MPROC_ERROR_PROTOCOL, "this memory is no object of the library");
  if (head.version != kVersion) {
    return Status(MPROC_ERROR_PROTOCOL, "the object was made by another version of the library");
  }
  if (head.kind != static_cast<uint32_t>(kind)) {
    return Status(MPROC_ERROR_WRONG_KIND, std::string("this is a ") + NameOf(static_cast<Kind>(head.kind)) +
                                              ", not a " + NameOf(kind));
  }
  if (head.size > memory.size() || head.size < sizeof(ObjectHead) + least)
    return Status(MPROC_ERROR_PROTOCOL, "the object is not as large as it says");
  return Status();
}

void WriteHead(platform::SharedMemory* memory, Kind kind, size_t size, uint32_t options) {
  auto* head = reinterpret_cast<ObjectHead*>(memory->data());
  *head = {kMagic, kVersion, static_cast<uint32_t>(kind), options, sizeof(ObjectHead) + size};
}

// A peer may have changed it since it was checked.
size_t BodySize(uint64_t said, size_t there) {
  return (said >= sizeof(ObjectHead) && said <= there ? said : there) - sizeof(ObjectHead);
}

}  // namespace

SharedObject::SharedObject(Kind kind, platform::SharedMemory memory)
    : Object(kind), memory_(std::move(memory)), body_size_(BodySize(head().size, memory_.size())) {}

Result<platform::SharedMemory> SharedObject::Allocate(Kind kind, size_t size, uint32_t options,
                                                      platform::Pages pages) {
  auto memory = platform::SharedMemory::Create(kName, sizeof(ObjectHead) + size,
                                               platform::SharedMemory::Peer::kWrites, pages);
  if (memory.ok()) WriteHead(&*memory, kind, size, options);
  return memory;
}

Result<platform::SharedMemory> SharedObject::AllocateSparse(Kind kind, size_t size, size_t file_size) {
  auto memory = platform::SharedMemory::CreateSparse(kName, sizeof(ObjectHead) + size, file_size);
  if (memory.ok()) WriteHead(&*memory, kind, size, 0);
  return memory;
}

Result<platform::SharedMemory> SharedObject::Receive(Kind kind, size_t size, platform::UniqueFd fd) {
  // The size is that of the kind, never what a peer says.
  size_t whole = (sizeof(ObjectHead) + size + 4095) & ~size_t{4095};
  auto memory = platform::SharedMemory::Adopt(std::move(fd), whole, true, true);
  if (!memory.ok()) return memory;
  if (Status good = Check(*memory, kind, size); !good.ok()) return good;
  return memory;
}

Result<platform::SharedMemory> SharedObject::ReceiveAny(Kind kind, size_t size, platform::UniqueFd fd) {
  auto memory = platform::SharedMemory::AdoptWhole(std::move(fd));
  if (!memory.ok()) return memory;
  if (memory->size() < sizeof(ObjectHead))
    return Status(MPROC_ERROR_PROTOCOL, "memory without room for a head");
  if (Status good = Check(*memory, kind, size); !good.ok()) return good;
  return memory;
}

}  // namespace mproc::object
