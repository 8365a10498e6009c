// SPDX-License-Identifier: MIT
#include "shm/memory.hh"

#include <mproc/memory.h>

#include "capi/object_handles.hh"

using namespace mproc;
using namespace mproc::capi;
using shm::Memory;

mproc_status_t mproc_memory_create(size_t size, uint32_t flags, mproc_memory_t** memory) {
  return Guard([&] {
    if (!memory) return BadArgument("memory is null");
    if (size == 0) return BadArgument("size is 0");
    if (flags > MPROC_MEMORY_LATER) return BadArgument("no such flag");
    auto pages = flags & MPROC_MEMORY_LATER ? platform::Pages::kLater : platform::Pages::kReserved;
    return GiveOutObject(Memory::Create(size, pages), memory);
  });
}

mproc_status_t mproc_memory_data(mproc_memory_t* memory, void** data, size_t* size) {
  return GuardObject<Memory>(memory, [&](Memory& m) {
    if (data) *data = m.data();
    if (size) *size = m.bytes();
    return Status();
  });
}

mproc_status_t mproc_memory_destroy(mproc_memory_t* memory) { return GuardDestroyObject<Memory>(memory); }
